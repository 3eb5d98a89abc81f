import { describe, expect, it } from 'vitest'
import { ConfigError } from '../../../src/core/index.js'
import { loadPackage } from '../../../src/data/optional-package.js'

describe('loadPackage', () => {
  it('loads what is there, and says how to install what is not', async () => {
    expect(await loadPackage('node:path', 'This test')).toHaveProperty('join')
    const loading = loadPackage('dcml-no-such-package', 'sources.sql')
    await expect(loading).rejects.toThrow(ConfigError)
    await expect(loading).rejects.toThrow(
      'sources.sql needs the package dcml-no-such-package, which is not installed. Install it: npm install dcml-no-such-package.',
    )
  })
})
