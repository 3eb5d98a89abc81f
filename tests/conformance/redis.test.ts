import { execFileSync } from 'node:child_process'
import type { Transport, TransportOptions } from 'dcml'
import { testTransport } from 'dcml/testing'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { redis } from '../../examples/redis-transport.js'
import { Daemon } from '../fixtures/daemon.js'
import { freePort } from '../fixtures/free-port.js'

function whyNoRedis(): string | undefined {
  try {
    execFileSync('redis-server', ['--version'], { stdio: 'ignore' })
    return undefined
  } catch (error) {
    return `redis-server is not here: ${(error as Error).message}`
  }
}

const missing = whyNoRedis()
if (missing) console.log(`Skipped: ${missing}`)

describe.skipIf(missing)('the example of a transport, over Redis', () => {
  let url = ''
  let server: Daemon
  let admin: Redis
  let jobs = 0
  const names = new Map<Transport, string>()

  beforeAll(async () => {
    const port = await freePort()
    server = new Daemon('redis-server', [
      '--port',
      `${port}`,
      '--bind',
      '127.0.0.1',
      '--save',
      '',
      '--appendonly',
      'no',
    ])
    url = `redis://127.0.0.1:${port}`
    admin = new Redis(url)
    // It tries again until the server listens.
    admin.on('error', () => {})
    await admin.ping()
  })
  afterAll(async () => {
    admin.disconnect()
    await server.stop()
  })

  const create = async (worldSize: number, options: TransportOptions) => {
    const job = `job-${jobs++}`
    const factory = redis({ url, job, ...options })
    const ends = await Promise.all(Array.from({ length: worldSize }, (_, rank) => factory.join({ rank, worldSize })))
    for (const end of ends) names.set(end, `${job}:${end.rank}`)
    return ends
  }
  const lose = async (end: Transport) => {
    const clients = String(await admin.client('LIST')).split('\n')
    for (const client of clients.filter((line) => line.includes(` name=${names.get(end)} `)))
      await admin.client('KILL', 'ID', /^id=(\d+)/.exec(client)![1]!)
  }
  const skip = { 'holds a sender back whose receiver does not come': 'Redis keeps what was sent' }
  for (const { name, run } of testTransport({ create, lose, skip })) it(name, run)
})
