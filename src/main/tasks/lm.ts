/** Answers of the warm worker about a language model alone: reading a text and continuing prompts. */
import { continueAll, promptIds, readTokens } from '../engine/lm'
import type { LanguageModel, Tokenizer } from '../engine/lm'
import type { ReadTokens, Streams } from '../jobs/messages'
import { giveWay } from './channel'

export type ReadyModel = { model: LanguageModel; tokenizer: Tokenizer; dispose(): void }

/** How prompts become ids for this model. */
const encoderOf = ({ model, tokenizer }: ReadyModel) => ({
  encode: (text: string) => tokenizer.encode(text),
  bosId: tokenizer.bosId,
  contextSize: model.config.contextSize,
})

/** A BOS that was put before the text lies nowhere in it. */
function behindBos(places: Int32Array | null, tokens: number): Int32Array | null {
  if (!places) return null
  const all = new Int32Array(2 * tokens)
  all.set(places, all.length - places.length)
  return all
}

/** @throws AppError prompt-empty, prompt-too-long */
export async function readText(ready: ReadyModel, { text, top }: { text: string; top: number }): Promise<ReadTokens> {
  const { ids: own, places } = await ready.tokenizer.locate(text)
  const ids = await promptIds({ ...encoderOf(ready), encode: () => own }, text)
  return {
    ids: Int32Array.from(ids),
    places: behindBos(places, ids.length),
    ...(await readTokens(ready.model, ids, top)),
  }
}

/** Turns tokens into text as they come: bytes of a character that is not complete are held back. */
class TextStream {
  private readonly decoder = new TextDecoder('utf-8', { ignoreBOM: true })

  constructor(private readonly pieces: Tokenizer['pieces']) {}

  push(id: number): string {
    const { bytes, offsets } = this.pieces
    return this.decoder.decode(bytes.subarray(offsets[id] ?? 0, offsets[id + 1] ?? 0), { stream: true })
  }
}

/** @throws AppError prompt-empty, prompt-too-long */
export async function* generateTexts(
  ready: ReadyModel,
  { prompts, sampling }: Pick<Streams['generate']['ask'], 'prompts' | 'sampling'>,
  signal: AbortSignal,
): AsyncGenerator<Streams['generate']['part']> {
  const encoder = encoderOf(ready)
  const ids = await Promise.all(prompts.map((prompt) => promptIds(encoder, prompt)))
  const texts = prompts.map(() => new TextStream(ready.tokenizer.pieces))
  const { special } = ready.tokenizer.pieces
  const options = { ...sampling, stopIds: ready.tokenizer.stopIds }
  for await (const event of continueAll(ready.model, ids, options)) {
    if (event.type === 'end') yield event
    else yield { ...event, text: texts[event.prompt]?.push(event.id) ?? '', special: special[event.id] === 1 }
    // The asker's farewell must be heard between two tokens.
    await giveWay()
    if (signal.aborted) return
  }
}
