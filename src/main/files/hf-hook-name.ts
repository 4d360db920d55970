/** The module of a Hugging Face model whose output is what a hook of ours reads, as `hf_hook_name` of an SAELens folder names it. */

/** Where each family keeps its blocks. Families not listed here keep them in `model.layers`. */
const BLOCKS: Readonly<Record<string, string>> = {
  gpt2: 'transformer.h',
  gpt_neo: 'transformer.h',
  gpt_neox: 'gpt_neox.layers',
}
const USUAL_BLOCKS = 'model.layers'

/**
 * @param family as `models` lists it, the model_type of config.json
 * @returns null where no module puts out just this: only residual streams after a block, and before any but the first
 */
export function hfHookName(family: string, hookName: string): string | null {
  const [, layer, site] = /^blocks\.(\d+)\.hook_resid_(pre|post)$/.exec(hookName) ?? []
  if (layer === undefined) return null
  const block = Number(layer) - (site === 'pre' ? 1 : 0)
  return block < 0 ? null : `${BLOCKS[family] ?? USUAL_BLOCKS}.${block}`
}
