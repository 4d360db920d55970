/** The list of architectures there are. */
import { AppError } from '../../../shared/errors'
import type { Architecture, ArchitectureName } from './architecture'
import { batchtopk } from './batchtopk'
import { gated } from './gated'
import { jumprelu } from './jumprelu'
import { matryoshkaBatchtopk } from './matryoshka-batchtopk'
import { standard } from './standard'
import { topk } from './topk'

const architectures: Record<ArchitectureName, Architecture> = {
  standard,
  topk,
  batchtopk,
  jumprelu,
  gated,
  matryoshka_batchtopk: matryoshkaBatchtopk,
}

/** @throws AppError sae-invalid when `name` is no architecture this version knows; `path` is where it was read. */
export function architectureOf(name: string, path = ''): Architecture {
  const found = Object.values(architectures).find((architecture) => architecture.name === name)
  if (!found) throw new AppError('sae-invalid', { path, reason: `architecture ${name} is not supported` })
  return found
}
