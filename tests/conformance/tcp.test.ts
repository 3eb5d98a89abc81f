import { describe, it } from 'vitest'
import { createCollectives } from '../../src/collectives/index.js'
import { runCollectivesCase, testCollectives } from '../../src/testing/collectives.js'
import { testTransport } from '../../src/testing/transport.js'
import type { TransportOptions } from '../../src/transport/index.js'
import type { TcpOptions } from '../../src/transport/node.js'
import { makeCertificates, whyNoCertificates } from '../fixtures/certificates.js'
import { tcpGroup } from '../fixtures/tcp-group.js'

const noCertificates = whyNoCertificates()
if (noCertificates) console.warn(`tcp with TLS is not tested: ${noCertificates}`)
const certificates = noCertificates ? [] : makeCertificates(['rank-0', 'rank-1', 'rank-2'])
const secret = 'a secret of this test, known to all ranks'

const subjects: Record<string, (rank: number) => TcpOptions> = {
  'tcp on loopback': () => ({}),
  'tcp with a secret': () => ({ secret }),
  ...(noCertificates ? {} : { 'tcp with TLS': (rank: number) => ({ tls: certificates[rank]! }) }),
}

for (const [name, options] of Object.entries(subjects))
  describe(name, () => {
    const create = (worldSize: number, own: TransportOptions) =>
      tcpGroup(worldSize, (rank) => ({ ...options(rank), ...own }))
    for (const { name: holds, run } of testTransport({ create })) it(holds, run)
  })

describe('collectives over tcp', () => {
  const run = async (name: string, worldSize: number) => {
    // Their lives are watched in the tests of processes; here it would start many threads.
    const ends = await tcpGroup(worldSize, { silenceMs: Infinity })
    await Promise.all(ends.map((end) => runCollectivesCase(name, createCollectives(end), end)))
    await Promise.all(ends.map((end) => end.close()))
  }
  for (const { name: holds, run: holdsOn } of testCollectives({ run })) it(holds, holdsOn)
})
