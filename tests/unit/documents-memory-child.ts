/** Started as a process of its own: reads one dataset to its end and prints how much memory the process needed at most. */
import { readFileSync } from 'node:fs'
import { readDocuments } from '../../src/main/files/documents'

/** Most memory this process has had resident, in bytes; the number of getrusage starts with that of the parent. */
function peakBytes(): number {
  const [, kilobytes] = /VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8')) ?? []
  return Number(kilobytes) * 1024
}

const [, , path = ''] = process.argv
let [documents, characters] = [0, 0]
for await (const { text } of readDocuments({ path, textField: 'text' })) {
  documents += 1
  characters += text.length
}
process.stdout.write(JSON.stringify({ documents, characters, peak: peakBytes() }))
