/** Rows of models: where a language model lies and what it is. */
import { z } from 'zod'
import { TensorNames, type Model } from '../../shared/domain'
import { StartTokens, type TextStart } from '../../shared/text-start'
import { AppError } from '../../shared/errors'
import { now } from './blobs'
import type { Db } from './db'

/** `textStart` is `own` unless given; a model that is there keeps what was chosen for it. */
export type NewModel = Omit<Model, 'id' | 'addedAt' | 'textStart'> & { textStart?: TextStart | undefined }

const COLUMNS = `id, name, path, family, layers, d_model AS dModel, heads, vocabulary, context_size AS contextSize, dtype, parameters,
  weight_bytes AS weightBytes, memory_bytes AS memoryBytes, absent_hooks AS absentHooks, unused_tensors AS unusedTensors,
  nan_tensors AS nanTensors, has_chat_template AS hasChatTemplate,
  text_start AS textStart, start_tokens AS startTokens, sha256, source, added_at AS addedAt`

type Row = Omit<Model, 'absentHooks' | 'unusedTensors' | 'nanTensors' | 'hasChatTemplate' | 'startTokens'> & {
  absentHooks: string
  unusedTensors: string
  nanTensors: string
  hasChatTemplate: number
  startTokens: string | null
}

const modelOf = (row: Row): Model => ({
  ...row,
  absentHooks: z.array(z.string()).parse(JSON.parse(row.absentHooks)),
  unusedTensors: TensorNames.parse(JSON.parse(row.unusedTensors)),
  nanTensors: TensorNames.parse(JSON.parse(row.nanTensors)),
  hasChatTemplate: row.hasChatTemplate === 1,
  startTokens: row.startTokens === null ? null : StartTokens.parse(JSON.parse(row.startTokens)),
})

const rowOf = (model: NewModel) => ({
  ...model,
  absentHooks: JSON.stringify(model.absentHooks),
  unusedTensors: JSON.stringify(model.unusedTensors),
  nanTensors: JSON.stringify(model.nanTensors),
  hasChatTemplate: model.hasChatTemplate ? 1 : 0,
  textStart: model.textStart ?? null,
  startTokens: model.startTokens && JSON.stringify(model.startTokens),
})

export class ModelStore {
  constructor(private readonly db: Db) {}

  list(): Model[] {
    return this.db.prepare<[], Row>(`SELECT ${COLUMNS} FROM model ORDER BY id`).all().map(modelOf)
  }

  /** @throws AppError `not-found` */
  get(id: number): Model {
    const row = this.db.prepare<[number], Row>(`SELECT ${COLUMNS} FROM model WHERE id = ?`).get(id)
    if (!row) throw new AppError('not-found', { what: 'model', id })
    return modelOf(row)
  }

  /**
   * Adds a model, or returns the one of the same folder and weights, with what was found out about it now: a chat template may have
   * been put beside the weights since, and models of an older format were not inspected for it. It keeps its name.
   */
  add(model: NewModel): Model {
    const same = this.db
      .prepare<[string, string], { id: number }>('SELECT id FROM model WHERE path = ? AND sha256 = ?')
      .get(model.path, model.sha256)
    if (same) {
      this.db
        .prepare(
          `UPDATE model SET memory_bytes = @memoryBytes, absent_hooks = @absentHooks, unused_tensors = @unusedTensors,
             nan_tensors = @nanTensors, has_chat_template = @hasChatTemplate,
             text_start = ifnull(@textStart, text_start), start_tokens = @startTokens, source = ifnull(@source, source) WHERE id = @id`,
        )
        .run({ ...rowOf(model), id: same.id })
      return this.get(same.id)
    }
    const { lastInsertRowid } = this.db
      .prepare(
        `INSERT INTO model (name, path, family, layers, d_model, heads, vocabulary, context_size, dtype, parameters,
           weight_bytes, memory_bytes, absent_hooks, unused_tensors, nan_tensors, has_chat_template, text_start, start_tokens,
           sha256, source, added_at)
         VALUES (@name, @path, @family, @layers, @dModel, @heads, @vocabulary, @contextSize, @dtype, @parameters,
           @weightBytes, @memoryBytes, @absentHooks, @unusedTensors, @nanTensors, @hasChatTemplate,
           ifnull(@textStart, 'own'), @startTokens, @sha256, @source, @addedAt)`,
      )
      .run({ ...rowOf(model), addedAt: now() })
    return this.get(Number(lastInsertRowid))
  }

  /** @throws AppError `not-found` */
  setTextStart(id: number, textStart: TextStart, startTokens: StartTokens): Model {
    this.get(id)
    this.db
      .prepare('UPDATE model SET text_start = ?, start_tokens = ? WHERE id = ?')
      .run(textStart, JSON.stringify(startTokens), id)
    return this.get(id)
  }

  /** @throws AppError `not-found`, `in-use` */
  remove(id: number): void {
    this.get(id)
    const users = this.db
      .prepare<{ id: number }, string>(
        `SELECT name FROM run WHERE model_id = @id UNION SELECT name FROM sae WHERE model_id = @id
         UNION SELECT name FROM activation_set WHERE model_id = @id LIMIT 5`,
      )
      .pluck()
      .all({ id })
    if (users.length > 0) throw new AppError('in-use', { what: 'model', id, users: users.join(', ') })
    this.db.prepare('DELETE FROM model WHERE id = ?').run(id)
  }
}
