/** Gemma 3, Phi-3 and the rarer GPT-NeoX against the float64 reference, on the tensorflow backend. */
import { testReferenceModels } from './lm-reference'

await testReferenceModels('tensorflow')
