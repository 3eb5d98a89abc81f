/**
 * How two ranks find out that they belong together, before anything else is said. Knows no sockets.
 *
 * The one that dials says hello and what it wants, the other answers with a nonce, the first proves that it knows the
 * secret, then the other does. Each proof is an HMAC over a word for the role, the hello and the challenge, both whole:
 * ranks, sizes and the nonces of both sides are under it, so that it fits nowhere else. A stranger learns nothing, for
 * the one that dials proves first.
 * @module
 */

import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { ConfigError, TransportError } from '../../core/index.js'
import { control, frame } from './frames.js'

/** Version of what goes over the wire. */
const WIRE_VERSION = 1

/** Longest frame before both have proven who they are. */
export const MAX_HANDSHAKE_BYTES = 1024

const NONCE_BYTES = 32

/** What a rank says first. */
export interface Hello {
  /** Version of the wire. */
  dcml: number
  /** To be told where all are, or to be sent messages; a join is both. */
  purpose: 'join' | 'link'
  from: number
  to: number
  worldSize: number
  generation: number
  nonce: string
  /** Where it listens itself, at the address that it dials from. */
  port: number
}

/** Why a rank is not let in. */
export type RefusalReason = 'version' | 'secret' | 'certificate' | 'worldSize' | 'generation' | 'rank' | 'target'

/** What the one that dialed is told. */
export interface Refusal {
  reason: RefusalReason
  expected?: number
}

/** One side of a handshake. */
export interface Handshake {
  readonly isDone: boolean
  /**
   * Takes the other side's next frame.
   *
   * @returns The frame to answer with, if any.
   * @throws {TransportError} if it is not the frame that must come now.
   */
  take(tag: number, body: Uint8Array): Uint8Array | undefined
}

/** Thrown by the side that accepts; `answer` is to be sent before the socket is closed. */
export class Refused extends TransportError {
  readonly answer: Uint8Array

  constructor(what: string, refusal: Refusal, rank?: number) {
    super(what, { rank })
    this.answer = frame(control.refusal, toJson(refusal))
  }
}

/** The side that dials. */
export class DialingHandshake implements Handshake {
  isDone = false
  readonly #hello: Hello
  readonly #helloBytes: Uint8Array
  readonly #secret: string | Uint8Array
  #challenge: Uint8Array | undefined

  constructor(hello: Omit<Hello, 'dcml' | 'nonce'>, secret: string | Uint8Array) {
    this.#hello = { dcml: WIRE_VERSION, ...hello, nonce: randomBytes(NONCE_BYTES).toString('base64') }
    this.#helloBytes = toJson(this.#hello)
    this.#secret = secret
  }

  /** The first frame. */
  hello(): Uint8Array {
    return frame(control.hello, this.#helloBytes)
  }

  take(tag: number, body: Uint8Array): Uint8Array | undefined {
    if (tag === control.refusal) throw refusalError(fromJson(body) as Partial<Refusal>, this.#hello)
    const { to } = this.#hello
    if (tag === control.challenge && !this.#challenge) {
      this.#challenge = body.slice()
      return frame(control.proof, proof('dialer', this.#secret, [this.#helloBytes, this.#challenge]))
    }
    if (tag !== control.welcome || !this.#challenge) throw unexpected(to)
    if (!isSame(body, proof('acceptor', this.#secret, [this.#helloBytes, this.#challenge])))
      throw new TransportError(`What answers as rank ${to} does not know the secret.`, { rank: to })
    this.isDone = true
    return undefined
  }
}

/** What the accepting side knows of itself and of the other. */
export interface AcceptingOptions {
  rank: number
  worldSize: number
  generation: number
  secret: string | Uint8Array
  /** Whether the certificate of the other allows it to be this rank. */
  mayBe(rank: number): boolean
  /** Lets a rank in that has proven itself, or says why not. */
  admit(hello: Hello): RefusalReason | undefined
}

/** The side that accepts. */
export class AcceptingHandshake implements Handshake {
  isDone = false
  readonly #options: AcceptingOptions
  #said: { hello: Hello; helloBytes: Uint8Array; challenge: Uint8Array } | undefined

  constructor(options: AcceptingOptions) {
    this.#options = options
  }

  /** What the other says it is; nothing is proven before `isDone`. */
  get hello(): Hello | undefined {
    return this.#said?.hello
  }

  take(tag: number, body: Uint8Array): Uint8Array | undefined {
    if (tag === control.hello && !this.#said) return this.#challenge(body.slice())
    if (tag === control.proof && this.#said && !this.isDone) return this.#check(body, this.#said)
    throw unexpected()
  }

  #challenge(helloBytes: Uint8Array): Uint8Array {
    const hello = fromJson(helloBytes) as Partial<Hello> | null
    if (typeof hello?.dcml !== 'number') throw unexpected()
    if (hello.dcml !== WIRE_VERSION)
      throw new Refused(`It speaks version ${hello.dcml} of the protocol, and this is version ${WIRE_VERSION}`, {
        reason: 'version',
        expected: WIRE_VERSION,
      })
    if (!isHello(hello)) throw unexpected()
    const challenge = toJson({ nonce: randomBytes(NONCE_BYTES).toString('base64') })
    this.#said = { hello, helloBytes, challenge }
    return frame(control.challenge, challenge)
  }

  #check(
    body: Uint8Array,
    { hello, helloBytes, challenge }: { hello: Hello; helloBytes: Uint8Array; challenge: Uint8Array },
  ): Uint8Array {
    const { rank, worldSize, generation, secret, mayBe, admit } = this.#options
    const refuse = (what: string, refusal: Refusal) => new Refused(what, refusal, hello.from)
    if (!isSame(body, proof('dialer', secret, [helloBytes, challenge])))
      throw refuse('It does not know the secret', { reason: 'secret' })
    if (!mayBe(hello.from))
      throw refuse(`Its certificate does not show that it is rank ${hello.from}`, { reason: 'certificate' })
    if (hello.worldSize !== worldSize)
      throw refuse(`It takes the world size for ${hello.worldSize}, and it is ${worldSize}`, {
        reason: 'worldSize',
        expected: worldSize,
      })
    if (hello.generation !== generation)
      throw refuse(`It comes from generation ${hello.generation}, and this is generation ${generation}`, {
        reason: 'generation',
        expected: generation,
      })
    if (hello.to !== rank) throw refuse(`It looks for rank ${hello.to}`, { reason: 'target', expected: rank })
    const reason = admit(hello)
    if (reason) throw refuse(`Its rank is taken`, { reason })
    this.isDone = true
    return frame(control.welcome, proof('acceptor', secret, [helloBytes, challenge]))
  }
}

function proof(role: 'dialer' | 'acceptor', secret: string | Uint8Array, said: readonly Uint8Array[]): Uint8Array {
  const hmac = createHmac('sha256', secret).update(`dcml ${WIRE_VERSION} ${role}`)
  // With the length of each part, so that no bytes can move from one to the next.
  for (const part of said) hmac.update(`\n${part.length}\n`).update(part)
  return new Uint8Array(hmac.digest())
}

const isSame = (a: Uint8Array, b: Uint8Array) => a.length === b.length && timingSafeEqual(a, b)

function isHello(value: Partial<Hello>): value is Hello {
  const { purpose, from, to, worldSize, generation, nonce, port } = value
  const isBelow = (number: unknown, bound: number) =>
    Number.isInteger(number) && (number as number) >= 0 && (number as number) < bound
  return (
    (purpose === 'join' || purpose === 'link') &&
    isBelow(worldSize, 2 ** 31) &&
    isBelow(from, worldSize!) &&
    isBelow(to, worldSize!) &&
    from !== to &&
    isBelow(generation, 2 ** 53) &&
    isBelow(port, 2 ** 16) &&
    typeof nonce === 'string'
  )
}

/** What a refusal means for the one that was refused. */
function refusalError(refusal: Partial<Refusal> | null, { from, to, worldSize, generation }: Hello): Error {
  // Whoever answers may be a stranger: only a number is believed.
  const expected = Number(refusal?.expected)
  switch (refusal?.reason) {
    case 'version':
      return new ConfigError(`Rank ${to} speaks another version of dcml's protocol.`, {
        expected: `version ${expected}`,
        received: `version ${WIRE_VERSION}`,
        remedy: 'Install the same version of dcml for all ranks',
      })
    case 'secret':
      return new ConfigError(`Rank ${to} refuses the secret of rank ${from}.`, {
        remedy: 'Give all ranks the same secret',
      })
    case 'certificate':
      return new ConfigError(`Rank ${to} refuses the certificate of rank ${from}.`, {
        remedy: `Give rank ${from} a certificate of the common authority for 'rank-${from}', or what tls.identity says`,
      })
    case 'worldSize':
      return new ConfigError(`Rank ${to} and rank ${from} disagree about the world size.`, {
        expected,
        received: worldSize,
        remedy: 'Start all ranks with the same WORLD_SIZE',
      })
    case 'generation':
      // The older group is about to go: whoever is ahead tries again.
      return expected < generation
        ? new TransportError(`Rank ${to} is still in generation ${expected}.`, { rank: to })
        : new ConfigError(`The group of rank ${to} has gone on without this process.`, {
            expected: `generation ${expected}`,
            received: `generation ${generation}`,
          })
    case 'rank':
      return new ConfigError(`Another process has joined as rank ${from} already.`, {
        remedy: 'Start every rank once',
      })
    case 'target':
      return new TransportError(`Where rank ${to} was looked for, there is rank ${expected}.`, { rank: to })
    default:
      return unexpected(to)
  }
}

const unexpected = (rank?: number) =>
  new TransportError('What was sent does not belong to a handshake.', {
    remedy: 'Check that all ranks use dcml, and that all or none use tls',
    rank,
  })

const toJson = (value: unknown) => new TextEncoder().encode(JSON.stringify(value))

function fromJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    return null
  }
}
