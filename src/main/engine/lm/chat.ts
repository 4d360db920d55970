/** Chat templates: how a model's publisher wants messages written as one text. They are programs from outside, run within limits. */
import { basename, join } from 'node:path'
import { Script } from 'node:vm'
import { Environment, Interpreter, parse, tokenize } from '@huggingface/jinja'
import { z } from 'zod'
import type { ChatMessage } from '../../../shared/contract/lm'
import { AppError } from '../../../shared/errors'
import { nameOf, SpecialName } from './text-start'
import { isFile, readJsonIfThere, readText } from './weights'

const JINJA_FILE = 'chat_template.jinja'
const JSON_FILE = 'chat_template.json'
const CONFIG_FILE = 'tokenizer_config.json'
const MAP_FILE = 'special_tokens_map.json'

const Written = z.union([z.string(), z.array(z.looseObject({ name: z.string(), template: z.string() }))]).nullish()
const TemplateFile = z.looseObject({ chat_template: Written })
const SPECIAL_NAMES = [
  'bos_token',
  'eos_token',
  'unk_token',
  'sep_token',
  'pad_token',
  'cls_token',
  'mask_token',
] as const
const Specials = z.looseObject({
  ...{ bos_token: SpecialName, eos_token: SpecialName, unk_token: SpecialName, sep_token: SpecialName },
  ...{ pad_token: SpecialName, cls_token: SpecialName, mask_token: SpecialName },
  additional_special_tokens: z.array(SpecialName).nullish(),
  /** Named by the model itself, such as image_token. */
  extra_special_tokens: z.union([z.record(z.string(), SpecialName), z.array(SpecialName)]).nullish(),
})
const Config = Specials.extend({ chat_template: Written })

/** Published templates have 0.1 to 20 kB, take a few thousand steps, and write a few characters beside the messages. */
const MAX_SOURCE_BYTES = 1024 * 1024
const MAX_STEPS = 200_000
const MAX_LIST = 100_000
const MAX_ADDED_CHARACTERS = 1_000_000
/** A single step may still walk a list that holds itself many times over; nothing but a clock stops that. */
const MAX_MS = 3000

/** Of several templates, the one for plain conversations. */
function pick(written: z.infer<typeof Written>): string | null {
  if (typeof written === 'string') return written
  return written?.find(({ name }) => name === 'default')?.template ?? null
}

type Chat = { template: string; specials: Record<string, string | string[]> }

/** The special tokens that templates are given by their names, as transformers gives them: all that are named, no others. */
function specialsOf(config: z.infer<typeof Specials>): Chat['specials'] {
  const { additional_special_tokens: additional, extra_special_tokens: extra } = config
  const own = SPECIAL_NAMES.map((name) => [name, nameOf(config[name])] as const)
  const extras = Array.isArray(extra)
    ? []
    : Object.entries(extra ?? {}).map(([name, word]) => [name, nameOf(word)] as const)
  const named = [...own, ...extras].flatMap(([name, word]) => (typeof word === 'string' ? [[name, word] as const] : []))
  const list = (additional ?? []).map(nameOf).filter((word) => typeof word === 'string')
  return { ...Object.fromEntries(named), ...(list.length > 0 && { additional_special_tokens: list }) }
}

/**
 * A file of its own goes before tokenizer_config.json, as in newer exports; chat_template.json is the oldest place.
 * @returns null when no file has a template
 * @throws AppError file-unreadable, file-corrupt
 */
async function readChat(folder: string): Promise<Chat | null> {
  const inFolder = (name: string) => join(folder, name)
  const config = await readJsonIfThere(inFolder(CONFIG_FILE), Config)
  const isOwn = await isFile(inFolder(JINJA_FILE))
  let template = isOwn ? await readText(inFolder(JINJA_FILE), MAX_SOURCE_BYTES) : pick(config?.chat_template)
  template ??= pick((await readJsonIfThere(inFolder(JSON_FILE), TemplateFile))?.chat_template)
  if (template === null) return null
  // Older exports name some tokens in a file of their own only.
  const map = await readJsonIfThere(inFolder(MAP_FILE), Specials)
  return { template, specials: { ...specialsOf(map ?? {}), ...specialsOf(config ?? {}) } }
}

/** Whether a model folder has a chat template. @throws AppError file-unreadable, file-corrupt */
export const hasChatTemplate = async (folder: string): Promise<boolean> => (await readChat(folder)) !== null

/** The steps of a template are counted, and every value it makes is measured. */
class LimitedInterpreter extends Interpreter {
  #steps = 0

  constructor(
    environment: Environment,
    private readonly maxCharacters: number,
  ) {
    super(environment)
  }

  override evaluate(
    ...[statement, environment]: Parameters<Interpreter['evaluate']>
  ): ReturnType<Interpreter['evaluate']> {
    if (++this.#steps > MAX_STEPS) throw new Error(`it takes more than ${MAX_STEPS.toLocaleString('en-US')} steps`)
    const result = super.evaluate(statement, environment)
    const value: unknown = result.value
    if (typeof value === 'string' && value.length > this.maxCharacters) {
      throw new Error(`it writes more than ${this.maxCharacters.toLocaleString('en-US')} characters`)
    }
    if (Array.isArray(value) && value.length > MAX_LIST) {
      throw new Error(`it makes a list of more than ${MAX_LIST.toLocaleString('en-US')} values`)
    }
    return result
  }
}

/** Whole numbers from `start` up or down to before `stop`, as Python counts. */
function range(first: number, second?: number, step = 1): number[] {
  const [start, stop] = second === undefined ? [0, first] : [first, second]
  const count = Math.max(0, Math.ceil((stop - start) / step))
  if (!(count <= MAX_LIST)) throw new Error(`it counts further than ${MAX_LIST.toLocaleString('en-US')}`)
  return Array.from({ length: count }, (_, i) => start + i * step)
}

/** The parts of Python's strftime that templates use, in English whatever the language of the system. */
export function writeTime(format: string, now = new Date()): string {
  const two = (value: number) => String(value).padStart(2, '0')
  const blank = (value: number) => String(value).padStart(2, ' ')
  const twelve = ((now.getHours() + 11) % 12) + 1
  const day = Math.round(
    (Date.UTC(now.getFullYear(), now.getMonth(), now.getDate()) - Date.UTC(now.getFullYear(), 0, 0)) / 864e5,
  )
  const name = (part: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat('en-US', part).format(now)
  const parts: Record<string, () => string> = {
    '%Y': () => String(now.getFullYear()),
    '%y': () => two(now.getFullYear() % 100),
    '%m': () => two(now.getMonth() + 1),
    '%-m': () => String(now.getMonth() + 1),
    '%d': () => two(now.getDate()),
    '%-d': () => String(now.getDate()),
    '%e': () => blank(now.getDate()),
    '%j': () => String(day).padStart(3, '0'),
    '%u': () => String(((now.getDay() + 6) % 7) + 1),
    '%w': () => String(now.getDay()),
    '%h': () => name({ month: 'short' }),
    '%b': () => name({ month: 'short' }),
    '%B': () => name({ month: 'long' }),
    '%a': () => name({ weekday: 'short' }),
    '%A': () => name({ weekday: 'long' }),
    '%H': () => two(now.getHours()),
    '%-H': () => String(now.getHours()),
    '%I': () => two(twelve),
    '%-I': () => String(twelve),
    '%p': () => (now.getHours() < 12 ? 'AM' : 'PM'),
    '%M': () => two(now.getMinutes()),
    '%S': () => two(now.getSeconds()),
    '%F': () => writeTime('%Y-%m-%d', now),
    '%T': () => writeTime('%H:%M:%S', now),
    '%R': () => writeTime('%H:%M', now),
    '%D': () => writeTime('%m/%d/%y', now),
    '%%': () => '%',
  }
  return format.replaceAll(/%-?.?/gs, (part) => {
    const write = parts[part]
    if (!write) throw new Error(`it writes the time as ${part}, which is not known here`)
    return write()
  })
}

/** What a template may name. `tools` and `documents` are there and empty, as templates expect of a plain conversation. */
function environmentOf({ specials }: Chat, messages: readonly ChatMessage[]): Environment {
  const environment = new Environment()
  const values: Record<string, unknown> = {
    ...{ true: true, True: true, false: false, False: false, none: null, None: null },
    ...{ messages: messages.map(({ role, content }) => ({ role, content })), add_generation_prompt: true },
    ...{ tools: null, documents: null, range, strftime_now: (format: unknown) => writeTime(String(format)) },
    raise_exception: (reason: unknown) => {
      throw new Error(String(reason))
    },
  }
  // What the model's files name never hides what every template is given.
  for (const [name, value] of Object.entries({ ...specials, ...values })) environment.set(name, value)
  return environment
}

/** Calls `work`, and ends it after `MAX_MS` wherever it is: the clock of vm stops what runs inside, whoever wrote it. */
function withinTime(work: () => string): string {
  let text = ''
  const call = new Script('work()')
  const outer = {
    work: () => {
      text = work()
    },
  }
  call.runInNewContext(outer, { timeout: MAX_MS })
  return text
}

/** What a template or the interpreter complains of, as part of a sentence. */
function reasonOf(error: unknown): string {
  // An error of the clock comes from another context, where Error is another class.
  const isLate =
    typeof error === 'object' && error !== null && 'code' in error && error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT'
  if (isLate) return `it takes longer than ${MAX_MS / 1000} seconds`
  const words = error instanceof Error ? error.message : String(error)
  return words
    .replaceAll(/\s+/g, ' ')
    .trim()
    .slice(0, 300)
    .replace(/[.!]+$/, '')
}

/**
 * Messages as the model's chat template writes them, with the beginning of the model's answer at the end.
 * @param folder of a model
 * @throws AppError chat-template-missing, chat-template-failed, file-unreadable, file-corrupt
 */
export async function renderChat(folder: string, messages: readonly ChatMessage[]): Promise<string> {
  const model = basename(folder)
  const chat = await readChat(folder)
  if (!chat) throw new AppError('chat-template-missing', { model })
  const characters = messages.reduce((sum, { content }) => sum + content.length, 0)
  try {
    return withinTime(() => {
      const program = parse(tokenize(chat.template, { lstrip_blocks: true, trim_blocks: true }))
      const interpreter = new LimitedInterpreter(environmentOf(chat, messages), characters + MAX_ADDED_CHARACTERS)
      const { value } = interpreter.run(program)
      if (typeof value !== 'string') throw new Error('it writes something else than text')
      return value
    })
  } catch (error) {
    throw new AppError('chat-template-failed', { model, reason: reasonOf(error) }, { cause: error })
  }
}
