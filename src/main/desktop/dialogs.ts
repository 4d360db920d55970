/** The system's own dialogs for choosing paths, and the last word when the app cannot start. */
import { app, dialog, type BrowserWindow } from 'electron'
import { errorSentence, toFailure, type ErrorCode, type Language } from '../../shared/errors'

export type PathKind = 'modelFolder' | 'textFile' | 'exportFolder'

/** Absolute path of the user's choice, or null when the dialog was closed. */
export async function choosePath(window: BrowserWindow, what: PathKind): Promise<string | null> {
  const options =
    what === 'textFile'
      ? {
          properties: ['openFile' as const],
          filters: [
            {
              name: 'Text, JSON, CSV, Parquet',
              extensions: ['txt', 'md', 'jsonl', 'json', 'csv', 'tsv', 'parquet', 'gz', 'zst', '*'],
            },
          ],
        }
      : { properties: ['openDirectory' as const] }
  const { canceled, filePaths } = await dialog.showOpenDialog(window, options)
  return canceled ? null : (filePaths[0] ?? null)
}

/** Shows why the app cannot start, in the system's language. Returns when the box was closed. */
export function showStartError(error: unknown): void {
  const failure = toFailure(error)
  const language: Language = app.getLocale().startsWith('ko') ? 'ko' : 'en'
  dialog.showErrorBox('Monoscope', errorSentence(failure.code satisfies ErrorCode, failure.details, language))
}
