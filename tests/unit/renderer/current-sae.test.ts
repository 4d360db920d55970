// @vitest-environment happy-dom
/** Which autoencoder the views open with: the chosen one, else the newest that has an atlas, else the newest. */
import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { useCurrentSae } from '../../../src/renderer/app/current-sae.store'

const { call } = vi.hoisted(() => ({ call: vi.fn() }))
vi.mock('../../../src/renderer/app/client', () => ({ client: { call } }))

const sae = (id: number, hasAtlas: boolean) => ({ id, atlas: hasAtlas ? {} : null })

beforeEach(() => {
  localStorage.clear()
  setActivePinia(createPinia())
})

/** Newest first, as the contract gives them. */
async function opened(...list: ReturnType<typeof sae>[]) {
  call.mockResolvedValue(list)
  const current = useCurrentSae()
  await current.load()
  return current
}

describe('the current autoencoder', () => {
  it('is the newest with an atlas', async () => {
    expect((await opened(sae(3, false), sae(2, true), sae(1, true))).sae?.id).toBe(2)
  })

  it('is the newest while none has an atlas, and none while there is none', async () => {
    expect((await opened(sae(3, false), sae(1, false))).sae?.id).toBe(3)
    expect((await opened()).sae).toBeNull()
  })

  it('is the chosen one for as long as it exists, also after a restart', async () => {
    const current = await opened(sae(3, true), sae(1, true))
    current.choose(1)
    expect(current.sae?.id).toBe(1)
    setActivePinia(createPinia())
    expect((await opened(sae(3, true), sae(1, true))).sae?.id).toBe(1)
    expect((await opened(sae(3, true))).sae?.id).toBe(3)
  })
})
