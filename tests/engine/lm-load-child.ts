/** Started as a process of its own: loads one model and prints how much memory that took at most. */
import { readFileSync } from 'node:fs'
import { loadModel } from '../../src/main/engine/lm/load'
import { memoryReport, openBackend } from '../../src/main/engine/tf'

/**
 * Most memory this process has had resident, in bytes. The number of getrusage will not do on Linux: a new process
 * starts with that of its parent.
 */
function peakBytes(): number {
  const [, kilobytes] = /VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8')) ?? []
  return Number(kilobytes) * 1024
}

const [, , folder = ''] = process.argv
await openBackend()
const before = peakBytes()
const model = await loadModel(folder)
const after = peakBytes()
const { bytes } = memoryReport()
process.stdout.write(JSON.stringify({ before, after, tensorBytes: bytes, parameters: model.config.parameters }))
