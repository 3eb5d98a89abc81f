import { testTrainingKernels } from '../unit/backends/training-kernels.js'
import { useStandIn } from './stand-in.js'

if (useStandIn('the kernels that training reaches')) testTrainingKernels('cuda')
