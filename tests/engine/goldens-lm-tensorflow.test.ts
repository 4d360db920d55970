/** The language-model fixtures, and the pretrained test model, on the tensorflow backend. */
import { testAllModels } from './lm-all'

await testAllModels('tensorflow')
