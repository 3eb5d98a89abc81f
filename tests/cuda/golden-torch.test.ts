import { testGoldens } from '../conformance/torch-goldens.js'
import { useStandIn } from './stand-in.js'

if (useStandIn('training as PyTorch does')) testGoldens('cuda', [{ engine: 'eager' }, { engine: 'captured' }])
