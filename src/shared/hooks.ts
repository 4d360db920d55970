/** Names of hook points, as TransformerLens writes them: which places of a forward pass can be read and replaced. */

/** The hooks of a block, in the order a forward pass reaches them. */
export const BLOCK_HOOKS = [
  'hook_resid_pre',
  'attn.hook_pattern',
  'attn.hook_z',
  'hook_attn_out',
  'hook_resid_mid',
  'mlp.hook_post',
  'hook_mlp_out',
  'hook_resid_post',
] as const
export type BlockHook = (typeof BLOCK_HOOKS)[number]

/** A place in a model; `layer` is -1 for `hook_embed`, which comes before block 0. */
export type HookPoint = { layer: number; site: 'hook_embed' | BlockHook }

const isBlockHook = (site: string): site is BlockHook => BLOCK_HOOKS.some((known) => known === site)

/** What a hook name says, or null when it says nothing. Does not know how many layers a model has. */
export function parseHook(hookName: string): HookPoint | null {
  if (hookName === 'hook_embed') return { layer: -1, site: 'hook_embed' }
  const [, layer, site] = /^blocks\.(0|[1-9]\d{0,4})\.(.+)$/.exec(hookName) ?? []
  return layer !== undefined && site !== undefined && isBlockHook(site) ? { layer: Number(layer), site } : null
}

/** Whether what is read here is the residual stream or is added to it as it is, so that its directions have a direct effect on logits. */
export function isOnResidualStream(hookName: string): boolean {
  const site = parseHook(hookName)?.site
  return site !== undefined && (site === 'hook_embed' || /^hook_(resid|attn_out|mlp_out)/.test(site))
}

export const blockHook = (layer: number, site: BlockHook): string => `blocks.${layer}.${site}`

/**
 * Every hook of a model with so many blocks, in the order a forward pass reaches them.
 * @param absent hooks that its blocks do not have
 */
export function listHooks(layers: number, absent: readonly string[] = []): string[] {
  const names = ['hook_embed']
  const sites = BLOCK_HOOKS.filter((site) => !absent.includes(site))
  for (let layer = 0; layer < layers; layer++) names.push(...sites.map((site) => blockHook(layer, site)))
  return names
}

/**
 * The hooks of the MLP neurons of every layer that a forward pass reaches before a hook, the first layer first: what a feature at
 * that hook may have been made from. Of blocks with parallel residuals those of the same block count as before what comes after them here.
 */
export function neuronHooksBefore(hookName: string): string[] {
  const layer = parseHook(hookName)?.layer ?? -1
  const names = listHooks(layer + 1)
  return names.slice(0, names.indexOf(hookName)).filter((name) => parseHook(name)?.site === 'mlp.hook_post')
}
