import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, it } from 'vitest'
import { memory } from '../../src/storage/index.js'
import { directory } from '../../src/storage/node.js'
import { testStore } from '../../src/testing/store.js'

const folders: string[] = []

const subjects = {
  memory: () => memory(),
  directory: async () => {
    const folder = await mkdtemp(join(tmpdir(), 'dcml-store-'))
    folders.push(folder)
    return directory(folder)
  },
}

afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))))

for (const [name, create] of Object.entries(subjects))
  describe(name, () => {
    for (const { name: holds, run } of testStore({ create })) it(holds, run)
  })
