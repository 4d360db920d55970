/** Any failure as one sentence in the user's language. */
import { ERROR_SENTENCES, errorSentence, toFailure, type ErrorCode, type ErrorDetails } from '../../shared/errors'
import { language } from './i18n'

type FailureLike = { code: string; message: string; details: ErrorDetails }

const isFailure = (error: unknown): error is FailureLike =>
  typeof error === 'object' && error !== null && 'code' in error && 'message' in error && 'details' in error

const isKnown = (code: string): code is ErrorCode => Object.hasOwn(ERROR_SENTENCES, code)

/** Works for thrown errors and for failures stored with a run or job; a code of a newer version keeps its own message. */
export function sentence(error: unknown): string {
  const failure: FailureLike = isFailure(error) ? error : toFailure(error)
  return isKnown(failure.code) ? errorSentence(failure.code, failure.details, language.value) : failure.message
}
