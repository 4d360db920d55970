/** Sentences of errors about what is given as a model. Part of the list in errors.ts. */

export const MODEL_SENTENCES = {
  'token-without-row': {
    en: 'The text holds the token {token} ({id}), for which the model has no row: it knows {vocabulary} tokens. Leave it out of the text.',
    ko: '텍스트에 토큰 {token}({id})이(가) 있는데 모델에는 그 행이 없습니다. 모델이 아는 토큰은 {vocabulary}개입니다. 텍스트에서 빼세요.',
  },
  'tokenizer-unsupported': {
    en: 'The tokenizer {path} is of the form "{form}", which is not read. Forms that are: BPE, WordPiece, Unigram, WordLevel.',
    ko: '토크나이저 {path}은(는) "{form}" 형식인데 이 형식은 읽지 못합니다. 읽는 형식: BPE, WordPiece, Unigram, WordLevel.',
  },
  'model-without-bos': {
    en: 'The files of the model {path} name no token that could stand before a text (bos_token). Choose "own" or "none".',
    ko: '모델 {path}의 파일에는 텍스트 앞에 둘 토큰(bos_token)이 적혀 있지 않습니다. "own" 또는 "none"을 고르세요.',
  },
  'tokenizer-stuck': {
    en: 'The tokenizer {path} found no end on a text of {characters} characters. One of its patterns may not end on it; leave the text out, or take the tokenizer.json from the place the weights came from.',
    ko: '토크나이저 {path}이(가) {characters}자의 텍스트에서 끝나지 않습니다. 패턴 하나가 이 텍스트에서 끝나지 않는 듯합니다. 텍스트를 빼거나 가중치를 받은 곳의 tokenizer.json을 쓰세요.',
  },
  'file-special': {
    en: '{path} is no file: it is a pipe, a socket or a device. Name a file or a folder.',
    ko: '{path}은(는) 파일이 아니라 파이프, 소켓 또는 장치입니다. 파일이나 폴더를 지정하세요.',
  },
  'model-family-unknown': {
    en: 'The model type "{family}" is not supported. Supported types: {known}.',
    ko: '모델 종류 "{family}"은(는) 지원하지 않습니다. 지원하는 종류: {known}.',
  },
  'model-gguf': {
    en: '{path} is a GGUF file, which is not read yet. Add the folder of the same model with config.json, tokenizer.json and safetensors files.',
    ko: '{path}은(는) 아직 읽지 못하는 GGUF 파일입니다. 같은 모델의 config.json, tokenizer.json, safetensors 파일이 있는 폴더를 추가하세요.',
  },
  'model-folder-missing': {
    en: 'There is no folder {path}. Check the path.',
    ko: '{path} 폴더가 없습니다. 경로를 확인하세요.',
  },
  'model-config-missing': {
    en: 'The folder {path} has no config.json, so it is not the folder of a model. Choose the folder that holds config.json, tokenizer.json and the safetensors files.',
    ko: '{path} 폴더에 config.json이 없어 모델 폴더가 아닙니다. config.json, tokenizer.json, safetensors 파일이 있는 폴더를 고르세요.',
  },
  'model-pickle': {
    en: 'The folder {path} holds its weights as {file}, a Python pickle, which could run code and is not read. Take a version with safetensors files, or save one with save_pretrained(folder, safe_serialization=True) of transformers.',
    ko: '{path} 폴더의 가중치는 {file}, 곧 코드를 실행할 수 있는 파이썬 피클이라 읽지 않습니다. safetensors 파일이 있는 판을 받거나 transformers의 save_pretrained(folder, safe_serialization=True)로 저장하세요.',
  },
  'model-not-folder': {
    en: '{path} is a file. A model is added as a folder with config.json, tokenizer.json and safetensors files.',
    ko: '{path}은(는) 파일입니다. 모델은 config.json, tokenizer.json, safetensors 파일이 있는 폴더로 추가합니다.',
  },
} as const satisfies Record<string, { en: string; ko: string }>
