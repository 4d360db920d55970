/** Registers the families without fixtures on one backend: each is held against the float64 reference as the others are against theirs. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import type { BackendName } from '../../src/shared/domain'
import { openTestBackend } from './goldens'
import { testModelFixture } from './lm-goldens'
import { REFERENCE_CASES } from './reference-cases'
import { writeReferenceFixture } from './reference-fixture'

export async function testReferenceModels(name: BackendName): Promise<void> {
  const backend = await openTestBackend(name)
  it.skipIf(!backend)('computes on the backend that was asked for', () => expect(backend?.name).toBe(name))
  if (!backend) return
  const folder = await mkdtemp(join(tmpdir(), 'monoscope-reference-'))
  afterAll(() => rm(folder, { recursive: true, force: true }))
  for (const of of REFERENCE_CASES) {
    await writeReferenceFixture(folder, of)
    testModelFixture(folder, of.name, name)
  }
}
