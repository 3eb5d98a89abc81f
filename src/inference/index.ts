export * from './predictor.js'
