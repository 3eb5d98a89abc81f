import { listAssists } from '../../src/backends/node.js'
import { testGoldens, type Way } from './torch-goldens.js'

const [blas] = await listAssists()
if (!blas!.available) console.log(`Skipped: training with a BLAS. ${blas!.reason}`)
// The products of these models are small.
process.env.DCML_BLAS_SMALLEST = '1'

const plain: Way[] = [{ engine: 'eager' }, { engine: 'captured' }]
const assisted = plain.map((way): Way => ({ ...way, assist: 'blas', library: blas!.library! }))

testGoldens('wasm', blas!.available ? [...plain, ...assisted] : plain)
