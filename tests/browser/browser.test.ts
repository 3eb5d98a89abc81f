import { parquetWriteBuffer } from 'hyparquet-writer'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { findChromium, launchChromium, openPage } from './chromium.js'
import type { Checks } from './page/checks.js'
import { buildPages, pages, type Site, serveBuilt, serveInstalled } from './serve.js'

const chromiumPath = findChromium()
if (!chromiumPath) console.log('Skipped: tests in a browser, for there is no Chromium. Set CHROMIUM_PATH.')

/** On a machine that is busy with other tests. */
const BUILD_TIMEOUT_MS = 180_000

const open: { close(): Promise<void> }[] = []
let browser: Browser
let isolated: Site
let plain: Site

afterAll(() => Promise.all(open.map((opened) => opened.close())))

/** Runs a check inside the page. */
function ask<Name extends keyof Checks>(page: Page, name: Name, ...values: Parameters<Checks[Name]>) {
  return page.evaluate(
    ([name, values]) => {
      const { checks } = globalThis as unknown as { checks: Record<string, (...values: unknown[]) => unknown> }
      return checks[name]!(...values)
    },
    [name, values] as const,
  ) as Promise<Awaited<ReturnType<Checks[Name]>>>
}

/** Largest difference of a tensor, by norms. */
function difference(a: number[][], b: number[][]): number {
  return Math.max(
    ...a.map((values, i) => Math.hypot(...values.map((value, j) => value - b[i]![j]!)) / Math.hypot(...b[i]!)),
  )
}

/** Fills in the form of the example and trains to the end. */
async function trainInExample(page: Page, settings: { backend: string; workers: string; epochs: string }) {
  await page.selectOption('[name=backend]', settings.backend)
  await page.selectOption('[name=workers]', settings.workers)
  await page.fill('[name=epochs]', settings.epochs)
  await page.click('#train')
  await page.waitForSelector('#train:enabled')
  const text = async (selector: string) => (await page.textContent(selector))!
  return {
    status: await text('#status'),
    accuracy: Number.parseFloat(await text('#accuracy')),
    curve: (await page.getAttribute('#curve', 'aria-label'))!,
  }
}

describe.skipIf(!chromiumPath)('in a browser', { timeout: 120_000 }, () => {
  let page: Page
  let problems: string[] = []

  beforeAll(async () => {
    await buildPages()
    isolated = await serveBuilt({ isolated: true })
    plain = await serveBuilt({ isolated: false })
    browser = await launchChromium(chromiumPath!)
    open.push(isolated, plain, browser)
  }, BUILD_TIMEOUT_MS)

  async function visit(url: string): Promise<void> {
    const opened = await openPage(browser, url)
    page = opened.page
    problems = opened.problems
  }

  const visitExample = async (site: Site) => {
    await visit(`${site.url}${pages.example}`)
    await page.waitForSelector('#train:enabled')
  }

  const visitChecks = async (site: Site) => {
    await visit(`${site.url}${pages.checks}`)
    await page.waitForFunction(() => 'checks' in globalThis)
  }

  afterEach(async () => {
    await page.close()
    expect(problems).toEqual([])
  })

  describe('the example', () => {
    it('learns on wasm with two workers, draws the curve and predicts', async () => {
      await visitExample(isolated)
      const { status, accuracy, curve } = await trainInExample(page, { backend: 'wasm', workers: '2', epochs: '3' })
      expect(status).toMatch(/^Trained in/)
      expect(accuracy).toBeGreaterThan(85)
      expect(curve).toMatch(/^Loss over 375 steps, now 0\./)
      const points = await page.$$eval('#curve path', (paths) =>
        paths.map((path) => path.getAttribute('d')!.split(/[LC]/).length),
      )
      expect(Math.max(...points)).toBeGreaterThan(100)
      expect(await page.locator('#digits canvas').count()).toBe(18)
      expect(await page.locator('#digits .right').count()).toBeGreaterThan(12)
    })

    it('stops when asked to', async () => {
      await visitExample(isolated)
      await page.selectOption('[name=backend]', 'wasm')
      await page.fill('[name=epochs]', '100')
      await page.click('#train')
      await page.waitForFunction(() => document.querySelector('progress')!.value > 0)
      await page.click('#stop')
      await page.waitForSelector('#train:enabled')
      expect(await page.textContent('#status')).toMatch(/^Stopped after/)
      expect(await page.evaluate(() => document.querySelector('progress')!.value)).toBeLessThan(1)
    })

    it('trains in its own thread where the page is not isolated, and says so', async () => {
      await visitExample(plain)
      expect(await page.evaluate(() => crossOriginIsolated)).toBe(false)
      expect(await page.textContent('#status')).toContain('not cross-origin isolated')
      expect(await page.locator('[name=workers] option').count()).toBe(1)
      const { status, accuracy } = await trainInExample(page, { backend: 'wasm', workers: '1', epochs: '1' })
      expect(status).toMatch(/^Trained in/)
      expect(accuracy).toBeGreaterThan(60)
    })

    it('trains in development, with dcml in node_modules', async () => {
      const installed = await serveInstalled()
      open.push(installed)
      await visit(installed.url)
      await page.waitForSelector('#train:enabled')
      const { status, accuracy } = await trainInExample(page, { backend: 'wasm', workers: '2', epochs: '1' })
      expect(status).toMatch(/^Trained in/)
      expect(accuracy).toBeGreaterThan(60)
    })
  })

  it('reads files that a user chooses, packed or not, and addresses', async () => {
    await visitChecks(plain)
    const columnData = [{ name: 'a', data: [5, 6, 7], type: 'INT32' as const }]
    const parquet = [...new Uint8Array(parquetWriteBuffer({ columnData }))]
    expect(await ask(page, 'readFiles', `a\n1\n${'2\n'.repeat(3000)}`, parquet)).toEqual({
      packed: [1, ...new Array(3000).fill(2)],
      json: [1, 2],
      parquet: [5, 6, 7],
      address: [1, ...new Array(3000).fill(2)],
      cut: expect.stringMatching(/^DataError: cut\.csv is no whole gzip file/),
    })
  })

  describe('DataParallel', () => {
    it('agrees with training in the page, on one worker to the bit', async () => {
      await visitChecks(isolated)
      const alone = await ask(page, 'train', 'wasm', { workers: 0, epochs: 5 })
      const one = await ask(page, 'train', 'wasm', { workers: 1, epochs: 5 })
      const two = await ask(page, 'train', 'wasm', { workers: 2, epochs: 5 })
      expect(alone.losses.at(-1)).toBeLessThan(alone.losses[0]!)
      for (const { engine } of [alone, one, two]) expect(engine).toBe('captured')
      expect(one.weights).toEqual(alone.weights)
      expect(difference(two.weights, one.weights)).toBeLessThan(1e-5)
    })

    it('refuses a page that is not isolated, and says how to mend it', async () => {
      await visitChecks(plain)
      expect(await ask(page, 'failureOfWorkers')).toEqual({
        code: 'DCML_CONFIG',
        message: expect.stringMatching(/cannot share memory.*COOP and COEP headers/),
        isOurs: true,
      })
    })
  })

  describe('indexedDb', () => {
    it('is a store', async () => {
      await visitChecks(isolated)
      const results = await ask(page, 'indexedDbConformance')
      expect(Object.keys(results).length).toBeGreaterThan(5)
      expect(Object.entries(results).filter(([, failure]) => failure !== undefined)).toEqual([])
    })

    it('keeps checkpoints from which training resumes to the bit', async () => {
      await visitChecks(isolated)
      const [straight, half, resumed] = await ask(page, 'resume')
      expect(resumed).toEqual(straight)
      expect(half).not.toEqual(straight)
    })
  })

  describe('backends', () => {
    it('are listed with true reasons', async () => {
      await visitChecks(isolated)
      const reports = Object.fromEntries((await ask(page, 'listBackends')).map((report) => [report.name, report]))
      expect(reports.cpu).toMatchObject({ available: true })
      expect(reports.wasm).toMatchObject({ available: true, features: expect.arrayContaining(['simd', 'threads']) })
      expect(reports.tensorflow).toMatchObject({ available: false, reason: expect.stringMatching(/^It needs Node/) })
      const can = await page.evaluate(async () => ({
        webgl: document.createElement('canvas').getContext('webgl2') !== null,
        webgpu: 'gpu' in navigator && (await navigator.gpu.requestAdapter()) !== null,
      }))
      expect(reports.webgl!.available).toBe(can.webgl)
      // The page bundles no WebGPU backend, so that an adapter alone is not enough.
      expect(reports.webgpu).toMatchObject({
        available: false,
        reason: expect.stringMatching(can.webgpu ? /not installed/ : /no adapter|no navigator.gpu/),
      })
    })

    it('have no native library to help them, and say so', async () => {
      await visitChecks(isolated)
      expect(await ask(page, 'failureOfAssist')).toEqual({
        code: 'DCML_BACKEND_UNAVAILABLE',
        message: expect.stringMatching(/It needs Node.*Leave out the assist/),
        isOurs: true,
      })
    })

    it('do not share memory on a page that is not isolated', async () => {
      await visitChecks(plain)
      const wasm = (await ask(page, 'listBackends')).find(({ name }) => name === 'wasm')
      expect(wasm).toMatchObject({ available: true })
      expect(wasm!.features).not.toContain('threads')
    })

    it('train on WebGL as on wasm, in the page and in a worker', async (context) => {
      await visitChecks(isolated)
      const webgl = (await ask(page, 'listBackends')).find(({ name }) => name === 'webgl')!
      if (!webgl.available) {
        console.log(`Skipped: training on WebGL. ${webgl.reason}`)
        context.skip()
      }
      const wasm = await ask(page, 'train', 'wasm', { workers: 0, epochs: 1 })
      const inPage = await ask(page, 'train', 'webgl', { workers: 0, epochs: 1 })
      const inWorker = await ask(page, 'train', 'webgl', { workers: 1, epochs: 1 })
      expect(difference(inPage.weights, wasm.weights)).toBeLessThan(1e-4)
      expect(difference(inWorker.weights, wasm.weights)).toBeLessThan(1e-4)
      // A GPU that the processor plays is nobody's first choice.
      if (webgl.features.includes('software')) expect(await ask(page, 'selectBackend')).toBe('wasm')
    })
  })
})
