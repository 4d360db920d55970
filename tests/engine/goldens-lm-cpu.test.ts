/** The language-model fixtures, and the pretrained test model, on the cpu backend. */
import { testAllModels } from './lm-all'

await testAllModels('cpu')
