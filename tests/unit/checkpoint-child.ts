/** Started as a process of its own: writes checkpoints from a step on until it is killed, or until one cannot be written. */
import { writeCheckpoint } from '../../src/main/engine/train/checkpoint'
import { makeCheckpoint } from '../fixtures/checkpoint'

const [, , folder = '', first = '1', rows = '10'] = process.argv
try {
  for (let step = Number(first); ; step++) await writeCheckpoint(folder, makeCheckpoint(step, { rows: Number(rows) }))
} catch (error) {
  process.stdout.write(error instanceof Error ? error.message : String(error))
}
