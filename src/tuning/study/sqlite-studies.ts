/**
 * Studies in a file of SQLite, for several processes of one machine.
 *
 * Owns: transactions, leases of running trials, what survives a crash.
 * Leaves: which SQLite to sqlite-driver.ts, what a trial is to the tuner.
 *
 * Every change is one short transaction that takes the lock for writing at its start, so that none ever has to give
 * up a snapshot it has read from, which SQLite answers with an error at once.
 * @module
 */

import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { resolve } from 'node:path'
import { StateError, StorageError, serializeError, WorkerError, withDefaults } from '../../core/index.js'
import { checkSameStudy } from './check-description.js'
import { openSqlite, type SqliteDatabase, type SqliteStatement, type SqliteValue } from './sqlite-driver.js'
import { MOST_ATTEMPTS, type StudyDescription, type StudyLog, type StudyStorage } from './study-storage.js'
import type { Report, TrialOutcome, TrialRecord } from './trial-record.js'

const BUSY_MS = 30_000
const LEASE_MS = 60_000

const schema = `
  CREATE TABLE IF NOT EXISTS studies (id INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL, description TEXT NOT NULL,
    revision INTEGER NOT NULL DEFAULT 0);
  CREATE TABLE IF NOT EXISTS trials (study INTEGER NOT NULL, number INTEGER NOT NULL, state TEXT NOT NULL,
    attempt INTEGER NOT NULL, params TEXT, notes TEXT, value_list TEXT, error TEXT, owner TEXT, lease_ms INTEGER,
    started_ms INTEGER NOT NULL, ended_ms INTEGER, revision INTEGER NOT NULL, PRIMARY KEY (study, number));
  CREATE TABLE IF NOT EXISTS reports (study INTEGER NOT NULL, number INTEGER NOT NULL, step REAL NOT NULL,
    value REAL NOT NULL, PRIMARY KEY (study, number, step));`

/** Options of `sqlite`. */
export interface SqliteOptions {
  /**
   * Milliseconds after which a running trial counts as given up when its process no longer tells of it. A process of
   * this machine that is gone is noticed at once.
   * @default 60000
   */
  leaseMs?: number
}

/**
 * Keeps studies in a file. Several processes of one machine may work on one study; one that is killed loses at most
 * the trials that it ran, which the next to ask takes up again.
 *
 * Node 20 needs the package `libsql`; later ones have SQLite built in.
 *
 * @param path - The file; its folder must be on this machine, not on a network.
 * @example
 * await new Tuner({ space, storage: sqlite('tune.sqlite') }).run(objective, { trials: 100 })
 */
export function sqlite(path: string, options: SqliteOptions = {}): StudyStorage {
  const { leaseMs } = withDefaults('sqlite', options, { leaseMs: LEASE_MS })
  const file = resolve(path)
  return {
    async open(description) {
      const database = await openSqlite(file)
      try {
        return guarded(file, () => new SqliteStudyLog(database, file, description, leaseMs))
      } catch (error) {
        database.close()
        throw error
      }
    },
  }
}

interface TrialRow {
  number: number
  state: TrialRecord['state']
  attempt: number
  params: string | null
  notes: string | null
  value_list: string | null
  error: string | null
  owner: string | null
  lease_ms: number | null
  started_ms: number
  ended_ms: number | null
  revision: number
}

class SqliteStudyLog implements StudyLog {
  readonly renewMs: number
  readonly #database: SqliteDatabase
  readonly #file: string
  readonly #study: number
  readonly #leaseMs: number
  readonly #owner = JSON.stringify([hostname(), process.pid, randomUUID()])
  readonly #statements = new Map<string, SqliteStatement>()
  /** What was read so far, and up to which revision. */
  readonly #known: TrialRecord[] = []
  #revision = 0

  constructor(database: SqliteDatabase, file: string, description: StudyDescription, leaseMs: number) {
    this.#database = database
    this.#file = file
    this.#leaseMs = leaseMs
    this.renewMs = leaseMs / 4
    database.exec(`PRAGMA busy_timeout = ${BUSY_MS}`)
    useWriteAheadLog(database)
    database.exec('PRAGMA synchronous = NORMAL')
    this.#study = this.#write(() => {
      database.exec(schema)
      this.#run(
        'INSERT OR IGNORE INTO studies (name, description) VALUES (?, ?)',
        description.name,
        JSON.stringify(description),
      )
      const row = this.#one<{ id: number; description: string }>(
        'SELECT * FROM studies WHERE name = ?',
        description.name,
      )!
      checkSameStudy(JSON.parse(row.description), description)
      return row.id
    })
  }

  async trials(): Promise<readonly TrialRecord[]> {
    return guarded(this.#file, () => {
      const changed = this.#all<TrialRow>(
        'SELECT * FROM trials WHERE study = ? AND revision > ? ORDER BY number',
        this.#study,
        this.#revision,
      )
      for (const row of changed) {
        this.#known[row.number] = this.#record(row)
        this.#revision = Math.max(this.#revision, row.revision)
      }
      return [...this.#known]
    })
  }

  async begin(limit: number): Promise<TrialRecord | undefined> {
    return this.#write(() => {
      const number = this.#takeUp() ?? this.#insert(limit)
      if (number === undefined) return undefined
      return this.#record(
        this.#one<TrialRow>('SELECT * FROM trials WHERE study = ? AND number = ?', this.#study, number)!,
      )
    })
  }

  async describe(number: number, params: TrialRecord['params'], notes?: TrialRecord['notes']): Promise<void> {
    this.#write(() => {
      if (!this.#isOwn(number)) return
      this.#set(number, { params: JSON.stringify(params), notes: notes ? JSON.stringify(notes) : null })
    })
  }

  async report(number: number, step: number, value: number): Promise<void> {
    this.#write(() => {
      if (!this.#isOwn(number))
        throw new StateError(`Trial ${number} no longer runs here: another process took it up.`, {
          remedy: 'Raise leaseMs of sqlite() if this process may be silent for longer',
        })
      this.#run('INSERT OR REPLACE INTO reports VALUES (?, ?, ?, ?)', this.#study, number, step, value)
      this.#set(number, { lease_ms: Date.now() + this.#leaseMs })
    })
  }

  async finish(number: number, outcome: TrialOutcome): Promise<void> {
    this.#write(() => {
      if (!this.#isOwn(number)) return
      this.#set(number, {
        state: outcome.state,
        ended_ms: Date.now(),
        ...('error' in outcome
          ? { error: JSON.stringify(outcome.error) }
          : { value_list: JSON.stringify(outcome.values) }),
      })
    })
  }

  async release(number: number): Promise<void> {
    this.#write(() => {
      if (this.#isOwn(number)) this.#set(number, { state: 'waiting' })
    })
  }

  async renew(numbers: readonly number[]): Promise<void> {
    this.#write(() => {
      for (const number of numbers)
        this.#run(
          'UPDATE trials SET lease_ms = ? WHERE study = ? AND number = ? AND owner = ?',
          Date.now() + this.#leaseMs,
          this.#study,
          number,
          this.#owner,
        )
    })
  }

  async close(): Promise<void> {
    this.#database.close()
  }

  /** Takes up the oldest trial that nobody works on. */
  #takeUp(): number | undefined {
    const open = this.#all<TrialRow>(
      "SELECT * FROM trials WHERE study = ? AND state IN ('running', 'waiting') ORDER BY number",
      this.#study,
    )
    for (const { number, state, owner, lease_ms, attempt } of open) {
      const lost = state === 'running' && this.#isLost(owner!, lease_ms!)
      if (lost && attempt >= MOST_ATTEMPTS) {
        const error = new WorkerError(`Its process ended ${attempt} times while it ran.`)
        this.#set(number, { state: 'failed', error: JSON.stringify(serializeError(error)), ended_ms: Date.now() })
      } else if (lost || state === 'waiting') {
        this.#run('DELETE FROM reports WHERE study = ? AND number = ?', this.#study, number)
        this.#set(number, { ...this.#claim(), attempt: lost ? attempt + 1 : attempt })
        return number
      }
    }
    return undefined
  }

  #insert(limit: number): number | undefined {
    const { count } = this.#one<{ count: number }>('SELECT COUNT(*) AS count FROM trials WHERE study = ?', this.#study)!
    if (count >= limit) return undefined
    this.#run(
      "INSERT INTO trials (study, number, state, attempt, started_ms, revision) VALUES (?, ?, 'running', 1, 0, 0)",
      this.#study,
      count,
    )
    this.#set(count, this.#claim())
    return count
  }

  #claim() {
    const now = Date.now()
    return { state: 'running', owner: this.#owner, lease_ms: now + this.#leaseMs, started_ms: now }
  }

  #isLost(owner: string, leaseMs: number): boolean {
    if (owner === this.#owner) return false
    const [host, processId] = JSON.parse(owner) as [string, number, string]
    return leaseMs < Date.now() || (host === hostname() && !isAlive(processId))
  }

  /** Whether a trial still runs here: another takes up what was silent for longer than its lease. */
  #isOwn(number: number): boolean {
    const row = this.#one<TrialRow>('SELECT * FROM trials WHERE study = ? AND number = ?', this.#study, number)!
    return row.state === 'running' && row.owner === this.#owner
  }

  /** Changes columns of a trial, and marks it as changed. */
  #set(number: number, changes: Record<string, SqliteValue>): void {
    this.#run('UPDATE studies SET revision = revision + 1 WHERE id = ?', this.#study)
    const columns = Object.keys(changes).map((column) => `${column} = ?, `)
    this.#run(
      `UPDATE trials SET ${columns.join('')}revision = (SELECT revision FROM studies WHERE id = study) WHERE study = ? AND number = ?`,
      ...Object.values(changes),
      this.#study,
      number,
    )
  }

  #record(row: TrialRow): TrialRecord {
    const reports = this.#all<Report>(
      'SELECT step, value FROM reports WHERE study = ? AND number = ? ORDER BY step',
      this.#study,
      row.number,
    )
    return {
      number: row.number,
      state: row.state,
      attempt: row.attempt,
      reports: reports.map(({ step, value }) => ({ step, value })),
      startedMs: row.started_ms,
      ...(row.params === null ? {} : { params: JSON.parse(row.params) }),
      ...(row.notes === null ? {} : { notes: JSON.parse(row.notes) }),
      ...(row.value_list === null ? {} : { values: JSON.parse(row.value_list) }),
      ...(row.error === null ? {} : { error: JSON.parse(row.error) }),
      ...(row.ended_ms === null ? {} : { endedMs: row.ended_ms }),
    }
  }

  /** One transaction. Synchronous, so that nothing of this thread comes between. */
  #write<T>(change: () => T): T {
    return guarded(this.#file, () => {
      this.#database.exec('BEGIN IMMEDIATE')
      try {
        const result = change()
        this.#database.exec('COMMIT')
        return result
      } catch (error) {
        this.#database.exec('ROLLBACK')
        throw error
      }
    })
  }

  #run(sql: string, ...values: SqliteValue[]): void {
    this.#statement(sql).run(...values)
  }

  #one<Row>(sql: string, ...values: SqliteValue[]): Row | undefined {
    return this.#statement(sql).get(...values) as Row | undefined
  }

  #all<Row>(sql: string, ...values: SqliteValue[]): Row[] {
    return this.#statement(sql).all(...values) as Row[]
  }

  #statement(sql: string): SqliteStatement {
    const statement = this.#statements.get(sql) ?? this.#database.prepare(sql)
    this.#statements.set(sql, statement)
    return statement
  }
}

/**
 * Switches the file to a write-ahead log, once for all. SQLite refuses the switch at once, whatever the timeout, while
 * another process makes it; then that one's is as good.
 */
function useWriteAheadLog(database: SqliteDatabase): void {
  const deadlineMs = Date.now() + BUSY_MS
  for (;;) {
    try {
      database.prepare('PRAGMA journal_mode = WAL').all()
      return
    } catch (error) {
      if (Date.now() > deadlineMs || !/locked|busy/i.test((error as Error).message)) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5)
    }
  }
}

function guarded<T>(file: string, run: () => T): T {
  try {
    return run()
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && /^DCML_/.test(String(cause.code))) throw cause
    throw new StorageError(`The study in ${file} cannot be read or written: ${(cause as Error).message}`, { cause })
  }
}

function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
