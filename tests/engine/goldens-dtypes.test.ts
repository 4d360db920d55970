/** Every stored element type against the fixture, bit for bit. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { goldensFolder, readTensors, report, reportSkip } from './goldens'

const Expected = z.object({
  tensors: z.record(
    z.string(),
    z.object({
      dtype: z.string(),
      shape: z.array(z.int()),
      values: z.array(z.union([z.number(), z.string()])),
      bit_patterns: z.array(z.string()).optional(),
    }),
  ),
})

const folder = goldensFolder()
if (!folder) reportSkip('golden dtypes', 'the folder of the fixtures is absent; name it in GOLDENS_DIR')

/** A value of expected.json as the number it stands for; Number('-0') keeps its sign. */
const valueOf = (value: number | string) => Number(value)

describe.skipIf(!folder)('dtypes', () => {
  it('decodes every tensor of the file to the expected bits', async () => {
    const home = join(folder ?? '', 'dtypes')
    expect(existsSync(join(home, 'decode.safetensors'))).toBe(true)
    const expected = Expected.parse(JSON.parse(readFileSync(join(home, 'expected.json'), 'utf8'))).tensors
    const tensors = await readTensors(join(home, 'decode.safetensors'))
    expect([...tensors.keys()].sort()).toEqual(Object.keys(expected).sort())
    for (const [name, { dtype, shape, values, bit_patterns: patterns }] of Object.entries(expected)) {
      const tensor = tensors.get(name)
      expect([name, tensor?.dtype, tensor?.shape]).toEqual([name, dtype, shape])
      expect([name, Array.from(tensor?.data ?? [], Number)]).toEqual([name, values.map(valueOf)])
      if (dtype === 'BF16' && patterns && tensor) {
        // A widened BF16 is its pattern followed by 16 zero bits, NaN included.
        const bits = Array.from(new Uint32Array(tensor.data.buffer), (word) => word)
        expect(bits).toEqual(patterns.map((pattern) => Number(pattern) * 0x10000))
      }
    }
    report('dtypes', 'reader', { tensors: tensors.size })
  })
})
