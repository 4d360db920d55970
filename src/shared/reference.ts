/** How a feature is named outside of its workspace. */
import type { Sae } from './domain'

/** `model/hook point/autoencoder/number`, as the page of a feature copies it; names are the same in every workspace, numbers of things are not. */
export const referenceOf = (sae: Sae, featureIndex: number): string =>
  `${sae.modelName}/${sae.hookName}/${sae.name}/${featureIndex}`
