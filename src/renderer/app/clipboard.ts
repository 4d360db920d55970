/** Putting text on the clipboard in both hosts: the async clipboard where it is permitted, else a selected field. */
import { AppError } from '../../shared/errors'

/** @throws AppError `internal` when the host allows neither way */
export async function copyText(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text)
  } catch {
    copyBySelection(text)
  }
}

/** Copies a field outside the view. The desktop host denies the clipboard permission, and plain http has no async clipboard. */
function copyBySelection(text: string): void {
  const before = document.activeElement
  const field = document.createElement('textarea')
  field.className = 'sr'
  field.value = text
  document.body.append(field)
  field.select()
  // Deprecated, and still the only way without a permission or a secure context.
  // eslint-disable-next-line @typescript-eslint/no-deprecated
  const isCopied = document.execCommand('copy')
  field.remove()
  if (before instanceof HTMLElement) before.focus()
  if (!isCopied) throw new AppError('internal', { reason: 'the clipboard is not available' })
}
