import { mergeConfig } from 'vitest/config'
import base from './vitest.config.js'

/** What takes too long for every run: `npm run test:long` runs `tests/long`, before a release. */
const long = mergeConfig(base, { test: { testTimeout: 1_800_000 } })
Object.assign(long.test, { include: ['tests/long/**/*.test.ts'], exclude: [] })
export default long
