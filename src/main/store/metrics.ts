/** Points of the training curves. */
import type { MetricPoint } from '../../shared/domain'
import type { Db } from './db'

const isFinitePoint = (point: MetricPoint): boolean =>
  Object.values(point).every((value) => typeof value !== 'number' || Number.isFinite(value))

export class MetricStore {
  private readonly insert
  private readonly addMany

  constructor(private readonly db: Db) {
    this.insert = db.prepare(
      `INSERT OR REPLACE INTO metric
         (run_id, step, tokens, loss, mse, l1, aux, l0, explained_variance, held_out_l0, dead_fraction, learning_rate,
          gradient_norm, route)
       VALUES (@runId, @step, @tokens, @loss, @mse, @l1, @aux, @l0, @explainedVariance, @heldOutL0, @deadFraction,
          @learningRate, @gradientNorm, @route)`,
    )
    this.addMany = db.transaction((runId: number, points: readonly MetricPoint[]) => {
      for (const point of points) this.insert.run({ ...point, runId })
    })
  }

  /** Adds points in one transaction. A point with a value that is no number is left out: the failure of its run tells it. */
  add(runId: number, points: readonly MetricPoint[]): void {
    this.addMany(runId, points.filter(isFinitePoint))
  }

  /** Points after a step, oldest first. */
  after(runId: number, step: number, limit = 5000): MetricPoint[] {
    return this.db
      .prepare<[number, number, number], MetricPoint>(
        `SELECT step, tokens, loss, mse, l1, aux, l0, explained_variance AS explainedVariance, held_out_l0 AS heldOutL0,
           dead_fraction AS deadFraction, learning_rate AS learningRate, gradient_norm AS gradientNorm, route
         FROM metric WHERE run_id = ? AND step > ? ORDER BY step LIMIT ?`,
      )
      .all(runId, step, limit)
  }

  /** Removes the points of a step and of all later ones. */
  removeFrom(runId: number, step: number): void {
    this.db.prepare('DELETE FROM metric WHERE run_id = ? AND step >= ?').run(runId, step)
  }
}
