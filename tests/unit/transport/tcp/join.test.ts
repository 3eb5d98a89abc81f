import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { describe, expect, it, vi } from 'vitest'
import { ConfigError, TransportError } from '../../../../src/core/index.js'
import { type TcpOptions, tcp } from '../../../../src/transport/node.js'
import { control, frame } from '../../../../src/transport/tcp/frames.js'
import { makeCertificates, whyNoCertificates } from '../../../fixtures/certificates.js'
import { freePort } from '../../../fixtures/free-port.js'
import { tcpGroup } from '../../../fixtures/tcp-group.js'

const secret = 'what all ranks know, and nobody else'

/** However busy the machine is. */
const patient = { interval: 5, timeout: 30_000 }

/** A group whose rank 0 waits already, and what it says of those that it refuses. */
async function waitingGroup(worldSize: number, options: TcpOptions = {}) {
  const port = await freePort()
  const lines: string[] = []
  const shared = { rendezvous: `127.0.0.1:${port}`, worldSize, log: (line: string) => lines.push(line), ...options }
  const first = tcp({ ...shared, rank: 0 }).join()
  first.catch(() => {})
  await listening(port)
  await vi.waitFor(() => expect(lines).toHaveLength(1), patient)
  lines.length = 0
  return { port, lines, first, join: (rank: number, own: TcpOptions = {}) => tcp({ ...shared, rank, ...own }).join() }
}

/** Resolves when somebody listens; leaves a line in the log. */
async function listening(port: number): Promise<void> {
  await vi.waitFor(async () => (await stranger(port)).destroy(), patient)
}

async function stranger(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

describe('a rank that does not belong', () => {
  const cases: [string, number, TcpOptions, RegExp, RegExp][] = [
    [
      'with another secret',
      1,
      { secret: 'another secret than the others' },
      /refuses the secret of rank 1/,
      /says that it is rank 1: It does not know the secret/,
    ],
    ['without the secret', 1, { secret: '' }, /refuses the secret of rank 1/, /does not know the secret/],
    [
      'with another world size',
      1,
      { worldSize: 4 },
      /disagree about the world size. Expected 3; received 4/,
      /takes the world size for 4, and it is 3/,
    ],
    [
      'of an older generation',
      1,
      { generation: 4 },
      /gone on without this process. Expected generation 5; received generation 4/,
      /comes from generation 4, and this is generation 5/,
    ],
  ]
  it.each(cases)('%s is told so, and rank 0 says so', async (_name, rank, options, error, line) => {
    const group = await waitingGroup(3, { secret, generation: 5, joinTimeoutMs: 30_000 })
    const refused = group.join(rank, options)
    await expect(refused).rejects.toThrow(ConfigError)
    await expect(refused).rejects.toThrow(error)
    expect(group.lines.join('\n')).toMatch(line)
    // Those that do belong come together all the same.
    const ends = await Promise.all([group.first, group.join(1), group.join(2)])
    await Promise.all(ends.map((end) => end.close()))
  })

  it('claiming a number that is taken is told so', async () => {
    const group = await waitingGroup(3, { secret })
    const one = group.join(1)
    const twice = group.join(1)
    const results = Promise.allSettled([one, twice])
    const two = await group.join(2)
    const [winner, loser] = (await results).sort((a, b) => a.status.localeCompare(b.status)) as [
      PromiseFulfilledResult<Awaited<typeof one>>,
      PromiseRejectedResult,
    ]
    expect(loser.reason).toBeInstanceOf(ConfigError)
    expect(loser.reason.message).toMatch(/Another process has joined as rank 1/)
    expect(group.lines.join('\n')).toMatch(/rank 1: Its rank is taken/)
    await Promise.all([(await group.first).close(), winner.value.close(), two.close()])
  })

  it('claiming rank 0 is told that the port is taken', async () => {
    const group = await waitingGroup(2)
    await expect(group.join(0)).rejects.toThrow(/no other process runs as rank 0/)
    const ends = await Promise.all([group.first, group.join(1)])
    await Promise.all(ends.map((end) => end.close()))
  })

  it('speaking another version is told so', async () => {
    const group = await waitingGroup(2)
    const socket = await stranger(group.port)
    const hello = { dcml: 7, purpose: 'join', from: 1, to: 0 }
    socket.write(frame(control.hello, new TextEncoder().encode(JSON.stringify(hello))))
    const [answer] = (await once(socket, 'data')) as [Buffer]
    expect(JSON.parse(answer.subarray(8).toString())).toEqual({ reason: 'version', expected: 1 })
    expect(group.lines.join('\n')).toMatch(/speaks version 7 of the protocol, and this is version 1/)
    const ends = await Promise.all([group.first, group.join(1)])
    await Promise.all(ends.map((end) => end.close()))
  })

  it('ahead of the others waits until they are as far', async () => {
    const group = await waitingGroup(2, { generation: 1, joinTimeoutMs: 300 })
    const ahead = group.join(1, { generation: 2, joinTimeoutMs: 30_000 })
    await expect(group.first).rejects.toThrow(/Rank 1 did not come within 300 ms/)
    const first = await group.join(0, { generation: 2, joinTimeoutMs: 30_000 })
    await Promise.all([first.close(), (await ahead).close()])
  })
})

describe('a stranger', () => {
  const head = (length: number, tag: number) => new Uint8Array(Uint32Array.of(length, tag).buffer)
  it.each([
    ['that speaks another protocol', Buffer.from('GET / HTTP/1.1\r\nHost: dcml\r\n\r\n')],
    ['with a length of 4 GB', head(0xffff_ffff, control.hello)],
    ['that sends a message at once', Buffer.concat([head(4, 5), Buffer.from('data')])],
    ['with a hello that is no JSON', frame(control.hello, Buffer.from('{'))],
    ['with a hello of nothing', frame(control.hello, Buffer.from('null'))],
    ['with a proof before its hello', frame(control.proof, new Uint8Array(32))],
  ])('%s costs one closed socket and one line', async (_name, bytes) => {
    const group = await waitingGroup(2, { secret })
    const socket = await stranger(group.port)
    socket.resume().write(bytes)
    await once(socket, 'close')
    expect(group.lines).toHaveLength(1)
    expect(group.lines[0]).toMatch(/^dcml: rank 0: Refused 127\.0\.0\.1:\d+/)
    const ends = await Promise.all([group.first, group.join(1)])
    await Promise.all(ends.map((end) => end.close()))
  })

  it('that says nothing keeps nobody waiting, and is closed when the group is whole', async () => {
    const group = await waitingGroup(2)
    const silent = await Promise.all(Array.from({ length: 20 }, () => stranger(group.port)))
    const closed = Promise.all(silent.map((socket) => once(socket.resume(), 'close')))
    const ends = await Promise.all([group.first, group.join(1)])
    await closed
    await Promise.all(ends.map((end) => end.close()))
  })

  it('finds nobody listening once the group is whole', async () => {
    const group = await waitingGroup(2)
    const ends = await Promise.all([group.first, group.join(1)])
    await expect(stranger(group.port)).rejects.toThrow(/ECONNREFUSED/)
    await Promise.all(ends.map((end) => end.close()))
  })
})

describe('a group that does not come together', () => {
  it('names on rank 0 who is missing, and tells those who came', async () => {
    const group = await waitingGroup(4, { joinTimeoutMs: 400 })
    const one = group.join(1, { joinTimeoutMs: 30_000 })
    await expect(group.first).rejects.toThrow(/Ranks 2, 3 did not come within 400 ms/)
    await expect(group.first).rejects.toMatchObject({ rank: 2 })
    await expect(one).rejects.toThrow(/Ranks 2, 3 did not come/)
    await expect(one).rejects.toBeInstanceOf(TransportError)
  })

  it('says where rank 0 was looked for', async () => {
    const rendezvous = `127.0.0.1:${await freePort()}`
    const lonely = tcp({ rendezvous, rank: 1, worldSize: 2, joinTimeoutMs: 100 }).join()
    await expect(lonely).rejects.toThrow(
      new RegExp(`Rank 0 was not met at ${rendezvous} within 100 ms: .*ECONNREFUSED`),
    )
    await expect(lonely).rejects.toMatchObject({ rank: 0 })
  })
})

describe('what would be unsafe', () => {
  it.each([
    [{ rank: 0, worldSize: 2, rendezvous: '0.0.0.0:29500' }],
    [{ rank: 0, worldSize: 2, rendezvous: '127.0.0.1:29500', bind: '0.0.0.0' }],
    [{ rank: 1, worldSize: 2, rendezvous: '192.0.2.1:29500' }],
  ])('is refused without a secret: %j', async (options) => {
    await expect(tcp(options).join()).rejects.toThrow(/a group over TCP needs a secret or TLS/)
  })

  it('is a secret that can be guessed', async () => {
    const options = { rank: 0, worldSize: 2, rendezvous: '127.0.0.1:29500', secret: 'hunter2' }
    await expect(tcp(options).join()).rejects.toThrow(/too short. Expected 16 characters or more; received 7/)
  })
})

it('says what it must know', async () => {
  await expect(tcp({ rendezvous: '127.0.0.1:1' }).join()).rejects.toThrow(/RANK and WORLD_SIZE/)
  await expect(tcp({ rank: 2, worldSize: 2 }).join()).rejects.toThrow(/rank 2 of 2/)
  await expect(tcp({ rank: 0, worldSize: 2 }).join()).rejects.toThrow(/where to meet rank 0/)
  await expect(tcp({ rank: 0, worldSize: 2, rendezvous: 'node0' }).join()).rejects.toThrow(/has no port/)
  await expect(tcp({ rank: 0, worldSize: 2, rendezvous: 'a:b:c' }).join()).rejects.toThrow(/rendezvous is no address/)
})

it('needs nothing for a group of one', async () => {
  const alone = await tcp({ rank: 0, worldSize: 1 }).join()
  await alone.send(0, 3, Uint8Array.of(5))
  expect(await alone.receive(0, 3)).toEqual(Uint8Array.of(5))
  await alone.close()
})

it('joins at the place that it is told, over that of the options', async () => {
  const factory = tcp({ rendezvous: `127.0.0.1:${await freePort()}`, rank: 1, worldSize: 8 })
  const ends = await Promise.all([0, 1].map((rank) => factory.join({ rank, worldSize: 2, generation: 3 })))
  expect(ends.map(({ rank, worldSize }) => [rank, worldSize])).toEqual([
    [0, 2],
    [1, 2],
  ])
  await Promise.all(ends.map((end) => end.close()))
})

const noCertificates = whyNoCertificates()
describe.skipIf(noCertificates)(`certificates${noCertificates ? `, not tested: ${noCertificates}` : ''}`, () => {
  const [zero, one, other] = noCertificates ? [] : makeCertificates(['rank-0', 'rank-1', 'rank-2'])
  const [impostor] = noCertificates ? [] : makeCertificates(['rank-1'])

  it('of another rank are refused', async () => {
    const group = await waitingGroup(2, { tls: zero! })
    await expect(group.join(1, { tls: other! })).rejects.toThrow(/Rank 0 refuses the certificate of rank 1/)
    await vi.waitFor(
      () => expect(group.lines.join()).toMatch(/Its certificate does not show that it is rank 1/),
      patient,
    )
    const ends = await Promise.all([group.first, group.join(1, { tls: one! })])
    await Promise.all(ends.map((end) => end.close()))
  })

  it('of a false rank 0 are refused', async () => {
    const group = await waitingGroup(2, { tls: other!, joinTimeoutMs: 500 })
    await expect(group.join(1, { tls: one! })).rejects.toThrow(
      /What answers as rank 0 shows the certificate of another/,
    )
    await expect(group.first).rejects.toThrow(/Rank 1 did not come/)
  })

  it('of another authority are refused', async () => {
    const group = await waitingGroup(2, { tls: zero! })
    const refused = group.join(1, { tls: { ...impostor!, ca: zero!.ca } })
    await expect(refused).rejects.toThrow(/Rank 0 refuses the certificate of rank 1/)
    const trusting = group.join(1, { tls: { ...one!, ca: impostor!.ca }, joinTimeoutMs: 300 })
    await expect(trusting).rejects.toThrow(/Rank 0 was not met .*certificate/)
    const ends = await Promise.all([group.first, group.join(1, { tls: one! })])
    await Promise.all(ends.map((end) => end.close()))
  })

  it('are asked for', async () => {
    const group = await waitingGroup(2, { tls: zero!, joinTimeoutMs: 500 })
    const { port } = group
    const plain = tcp({ rendezvous: `127.0.0.1:${port}`, rank: 1, worldSize: 2, joinTimeoutMs: 300 })
    await expect(plain.join()).rejects.toThrow(/Rank 0 was not met/)
    await expect(group.first).rejects.toThrow(/Rank 1 did not come/)
  })

  it('may bear other names', async () => {
    const identity = () => 'rank-2'
    const ends = await tcpGroup(2, { tls: { ...other!, identity } })
    await Promise.all(ends.map((end) => end.close()))
  })
})
