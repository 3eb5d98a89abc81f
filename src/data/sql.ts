/** Queries over files and databases by DuckDB, chunk after chunk. @module */

import type { DuckDBConnection, DuckDBInstance, DuckDBType } from '@duckdb/node-api'
import { DataError, DcmlError, withDefaults } from '../core/index.js'
import type { BadRowPass } from './bad-rows.js'
import type { Columns } from './columns.js'
import { type FileDataset, fileDataset } from './file-dataset.js'
import { loadPackage } from './optional-package.js'
import { type ColumnForm, chooseFields, columnsOfTable, type TableOptions, tableDefaults } from './table.js'

/** What may be bound to a parameter. */
export type SqlValue = string | number | bigint | boolean | null

/** How a query is run. */
export interface SqlOptions extends TableOptions {
  /** Values of the parameters: of `$1`, `$2` or `?` in order, or of `$name` by name. */
  values?: readonly SqlValue[] | Readonly<Record<string, SqlValue>>
  /** A database file of DuckDB, opened for reading. @default one in memory, for queries over other files */
  database?: string
  /** Statements to run before, such as `load httpfs; set s3_region = 'eu-west-1'`. */
  setup?: string
}

type DuckDB = typeof import('@duckdb/node-api')

/** The query, in messages. */
const NAME = 'the query'

/**
 * The rows of a query over files of any size, Parquet, CSV or JSON, on disk or in S3, or over a database. DuckDB runs it,
 * beside JavaScript; what it filters out never gets here. Every pass runs it again: without `order by` the order of rows
 * may differ.
 *
 * Types are read as `sources.parquet` reads them. Needs the package `@duckdb/node-api`.
 *
 * @throws {ConfigError} when it is read, without that package.
 * @throws {DataError} when it is read, for a query that fails, and with row, column and value at a row that cannot be read.
 * @example
 * const rides = sources.sql("select distance, fare from read_parquet('rides/*.parquet') where fare > $least", {
 *   values: { least: 2.5 },
 *   target: 'fare',
 * })
 */
export function sql(query: string, options: SqlOptions = {}): FileDataset {
  const chosen = withDefaults('sql', options, {
    ...tableDefaults,
    values: undefined,
    database: undefined,
    setup: undefined,
  })
  return fileDataset(NAME, chosen.onError, (pass) => readChunks(query, chosen, pass))
}

async function* readChunks(query: string, options: SqlOptions, pass: BadRowPass): AsyncGenerator<Columns> {
  const duckdb = await loadPackage<DuckDB>('@duckdb/node-api', 'sources.sql')
  let instance: DuckDBInstance | undefined
  let connection: DuckDBConnection | undefined
  try {
    instance = await openDatabase(duckdb, options.database)
    connection = await instance.connect()
    if (options.setup !== undefined) await connection.run(options.setup)
    const { values } = options
    const result = await connection.stream(query, isList(values) ? [...values] : values && { ...values })
    const fields = chooseFields(NAME, result.columnNames(), options, (place, isTarget) =>
      formOf(duckdb, result.columnName(place), result.columnType(place), isTarget),
    )
    let start = 0
    for await (const chunk of result) {
      const first = start
      const valuesOf = ({ place }: { place: number }) => chunk.convertColumnValues(place, duckdb.JSDuckDBValueConverter)
      yield columnsOfTable(fields, chunk.rowCount, valuesOf, options, {
        pass,
        placeOf: (row) => ({ row: first + row }),
      })
      start += chunk.rowCount
    }
  } catch (cause) {
    if (cause instanceof DcmlError) throw cause
    // The lines below the first repeat the query.
    const [what] = (cause as Error).message.split('\n')
    throw new DataError(`The query cannot be run: ${what}`, { cause })
  } finally {
    connection?.closeSync()
    instance?.closeSync()
  }
}

const isList = (values: SqlOptions['values']): values is readonly SqlValue[] => Array.isArray(values)

/** One file is opened once a process, however many passes read it. */
function openDatabase({ DuckDBInstance }: DuckDB, path: string | undefined): Promise<DuckDBInstance> {
  if (path === undefined) return DuckDBInstance.create(':memory:')
  return DuckDBInstance.fromCache(path, { access_mode: 'READ_ONLY' })
}

function formOf(duckdb: DuckDB, name: string, type: DuckDBType, isTarget: boolean): ColumnForm {
  const { DuckDBTypeId: id } = duckdb
  switch (type.typeId) {
    case id.LIST:
    case id.ARRAY:
      return { ...formOf(duckdb, name, type.valueType, false), size: 'first' }
    case id.BOOLEAN:
    case id.FLOAT:
    case id.SQLNULL:
      return { type: 'float32' }
    case id.DOUBLE:
    case id.DECIMAL:
    case id.TIME:
      return { type: 'float64' }
    case id.TINYINT:
    case id.SMALLINT:
    case id.INTEGER:
    case id.BIGINT:
    case id.HUGEINT:
    case id.UTINYINT:
    case id.USMALLINT:
    case id.UINTEGER:
    case id.UBIGINT:
    case id.UHUGEINT:
      return { type: isTarget ? 'int32' : 'float64' }
    case id.DATE:
      return { type: 'string', isDay: true }
    case id.TIMESTAMP:
    case id.TIMESTAMP_S:
    case id.TIMESTAMP_MS:
    case id.TIMESTAMP_NS:
    case id.TIMESTAMP_TZ:
    case id.VARCHAR:
    case id.ENUM:
    case id.UUID:
      return { type: 'string' }
    default:
      throw new DataError(`The column "${name}" of ${NAME} is a ${type}, which columns cannot hold.`, {
        expected: 'numbers, texts, dates, or lists of numbers of one length',
        remedy: `Take it apart in the query, or cast it: ${name}::varchar`,
      })
  }
}
