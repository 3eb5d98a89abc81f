import { afterEach, expect, it } from 'vitest'
import { loadAssist, selectBackend } from '../../../../src/backends/index.js'
import { listAssists } from '../../../../src/backends/node.js'

const [blas] = await listAssists()
if (!blas!.available) console.log(`Skipped: the size that a BLAS begins at. ${blas!.reason}`)

afterEach(() => {
  delete process.env.DCML_BLAS_SMALLEST
})

it('knows the assists by name', async () => {
  await selectBackend({ prefer: ['wasm'] })
  await expect(loadAssist('lapack' as never)).rejects.toMatchObject({
    code: 'DCML_CONFIG',
    message: "There is no such assist. Expected 'blas'; received lapack.",
  })
})

it('helps the wasm backend alone', async () => {
  await selectBackend({ prefer: ['cpu'] })
  await expect(loadAssist('blas')).rejects.toMatchObject({
    code: 'DCML_BACKEND_UNAVAILABLE',
    message: expect.stringContaining("selectBackend({ prefer: ['wasm'] })"),
  })
})

it.skipIf(!blas!.available)('begins at the size that the user sets', async () => {
  await selectBackend({ prefer: ['wasm'] })
  const product = [0, 0, 0, 0, 0, 3, 4, 5, 0, 0, 5, 4, 4, 1, 0, 0, 0] as const
  const takes = async (smallest: string) => {
    process.env.DCML_BLAS_SMALLEST = smallest
    return (await loadAssist('blas')).takes([...product])
  }
  expect(await takes('')).toBe(false)
  expect(await takes('61')).toBe(false)
  expect(await takes('60')).toBe(true)
  await expect(takes('few')).rejects.toMatchObject({ code: 'DCML_CONFIG' })
})
