/** The newest question counts: older answers and failures are dropped, giving up is no failure, an answer stays until there is another. */
import { expect, it } from 'vitest'
import { useLatestQuestion } from '../../../src/renderer/app/latest-question'
import { AppError } from '../../../src/shared/errors'

/** A question that is answered by hand. */
function held() {
  let settle: { resolve(value: string): void; reject(error: unknown): void } | null = null
  let signal: AbortSignal | null = null
  const work = (given: AbortSignal) => {
    signal = given
    return new Promise<string>((resolve, reject) => (settle = { resolve, reject }))
  }
  return { work, settle: () => settle!, signal: () => signal! }
}

it('drops the answer and the failure of an older one, and ends it', async () => {
  const { answer, error, isBusy, ask } = useLatestQuestion<string>()
  const [old, older, newest] = [held(), held(), held()]
  const waits = [ask(old.work), ask(older.work), ask(newest.work)]
  expect([old, older, newest].map(({ signal }) => signal().aborted)).toEqual([true, true, false])
  older.settle().reject(new Error('late'))
  newest.settle().resolve('new')
  await waits[2]
  old.settle().resolve('old')
  await Promise.all(waits)
  expect([answer.value, error.value, isBusy.value]).toEqual(['new', null, false])
})

it('keeps the last answer beside a failure until there is another', async () => {
  const { answer, error, isBusy, ask } = useLatestQuestion<string>()
  await ask(() => Promise.resolve('first'))
  const failure = new AppError('not-found', { what: 'feature', id: 1 })
  await ask(() => Promise.reject(failure))
  expect([answer.value, error.value, isBusy.value]).toEqual(['first', failure, false])
  await ask(() => Promise.resolve('second'))
  expect([answer.value, error.value]).toEqual(['second', null])
})

it('is given up without a failure', async () => {
  const { answer, error, isBusy, ask, stop, clear } = useLatestQuestion<string>()
  await ask(() => Promise.resolve('first'))
  const question = held()
  const waiting = ask(question.work)
  expect(isBusy.value).toBe(true)
  stop()
  expect(question.signal().aborted).toBe(true)
  question.settle().reject(new AppError('cancelled'))
  await waiting
  expect([answer.value, error.value, isBusy.value]).toEqual(['first', null, false])
  clear()
  expect(answer.value).toBeNull()
})

it('forgets what comes after it was cleared', async () => {
  const { answer, isBusy, ask, clear } = useLatestQuestion<string>()
  const question = held()
  const waiting = ask(question.work)
  clear()
  question.settle().resolve('late')
  await waiting
  expect([answer.value, isBusy.value]).toEqual([null, false])
})
