/** Every architecture finds the directions that made-up activations are sums of. */
import { expect, it } from 'vitest'
import type { TrainerConfig } from '../../src/main/engine/train/settings'
import { openTestBackend } from './goldens'
import { recover } from './toy-recovery'

const LONGER = { trainingTokens: 512 * 3000 }
const RUNS: (Partial<TrainerConfig> & Pick<TrainerConfig, 'architecture'>)[] = [
  { architecture: 'standard', l1Coefficient: 1.5 },
  { architecture: 'topk', k: 3 },
  // Slower learners get half as many steps again.
  { architecture: 'batchtopk', k: 3, ...LONGER },
  { architecture: 'matryoshka_batchtopk', k: 3, ...LONGER, matryoshkaWidths: [48, 192] },
  { architecture: 'jumprelu', l0Coefficient: 1, bandwidth: 0.1, initialThreshold: 0.1 },
  { architecture: 'gated', l1Coefficient: 1.5 },
]
const MINUTE = 60_000

await openTestBackend('wasm')

for (const settings of RUNS) {
  it(`${settings.architecture} finds at least 90 % of the directions`, { timeout: MINUTE }, () => {
    const { found, explainedVariance, l0, seconds } = recover(
      { learningRate: 3e-3, ...settings },
      { backend: 'wasm', threads: 2 },
    )
    const figures = `EV ${explainedVariance.toFixed(3)}, L0 ${l0.toFixed(1)}, ${seconds.toFixed(0)} s`
    process.stdout.write(`toy ${settings.architecture}: ${(100 * found).toFixed(1)} % found, ${figures}\n`)
    expect(found).toBeGreaterThanOrEqual(0.9)
  })
}
