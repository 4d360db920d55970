/** What a thread can be told to do. Units of rows are taken by whoever is free; panels of features belong to a thread. */
import { cutBatch, fullestUnit, largestUnitTau, listed, unpackEncoder } from './batch-cut'
import { measureNorms, update } from './adam'
import {
  BIAS_GRADIENTS, CONTROL, ENCODE, ENCODE_FINISH, END_UNIT, FAILED, FINISH, int, MEASURE, PANELS, SCAN, SCAN_FINISH, SHIFT_INPUT, takeNext, THREADS,
  UNPACK, UPDATE, WEIGHT_GRADIENTS,
} from './control'
import { encodeUnit, shiftInput } from './encode'
import { finishUnit } from './finish'
import { biasGradients, weightGradients } from './gradients'
import { scanUnit } from './scan'

export { cutBatch, fullestUnit, largestUnitTau, listed }

function hasFailed(): bool {
  return atomic.load<i32>(CONTROL + (FAILED << 2)) != 0
}

/** Runs this thread's share of a command. */
export function run(command: i32, thread: i32): void {
  if (command == WEIGHT_GRADIENTS) weightGradients(thread)
  else if (command == BIAS_GRADIENTS) biasGradients(thread)
  else if (command == UPDATE) update(thread)
  else if (command == SHIFT_INPUT) shiftInput(thread)
  else if (command == UNPACK) unpackEncoder(thread)
  else if (command == MEASURE) {
    for (let panel = thread; panel < int(PANELS); panel += int(THREADS)) measureNorms(panel)
  } else runUnits(command, thread)
}

function runUnits(command: i32, thread: i32): void {
  for (;;) {
    const unit = takeNext()
    if (unit >= int(END_UNIT)) return
    if (command == ENCODE || command == ENCODE_FINISH) encodeUnit(unit, thread)
    else if (command == SCAN || command == SCAN_FINISH) scanUnit(unit, thread)
    // Lists that are not whole must not be followed.
    if (hasFailed()) return
    if (command >= ENCODE_FINISH || command == FINISH) finishUnit(unit, thread)
  }
}
