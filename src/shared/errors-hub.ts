/** Sentences of errors about downloads from the hub. Part of the list in errors.ts. */

export const HUB_SENTENCES = {
  'hub-offline': {
    en: 'Downloads are switched off ({reason}), and {source} is not complete on this machine. Switch them on, or add a folder.',
    ko: '내려받기가 꺼져 있고({reason}) {source}이(가) 이 컴퓨터에 다 있지 않습니다. 내려받기를 켜거나 폴더를 추가하세요.',
  },
  'hub-source-invalid': {
    en: '"{source}" does not name a repository. Write it as org/name, or org/name@revision.',
    ko: '"{source}"은(는) 저장소 이름이 아닙니다. org/name 또는 org/name@revision으로 쓰세요.',
  },
  'hub-not-found': {
    en: 'The hub has no {what} {source}. Check the name and the revision; a private one needs a token.',
    ko: '허브에 {what} {source}이(가) 없습니다. 이름과 리비전을 확인하세요. 비공개 저장소에는 토큰이 필요합니다.',
  },
  'hub-denied': {
    en: 'The hub does not give {source} to you. Accept its terms on its page, then give an access token in the library.',
    ko: '허브가 {source}을(를) 허용하지 않습니다. 저장소 페이지에서 약관에 동의하고 라이브러리에 액세스 토큰을 넣으세요.',
  },
  'hub-unreachable': {
    en: 'The hub cannot be reached: {reason}. What has arrived is kept; start the download again later.',
    ko: '허브에 연결할 수 없습니다: {reason}. 받은 것은 남아 있으니 나중에 다시 시작하세요.',
  },
  'hub-no-space': {
    en: '{source} needs {needed} and the disk has {free} free. Free some space, or set HF_HUB_CACHE to another disk.',
    ko: '{source}에는 {needed}가 필요한데 디스크에 {free}가 남아 있습니다. 공간을 비우거나 HF_HUB_CACHE로 다른 디스크를 지정하세요.',
  },
  'hub-checksum': {
    en: 'The file {file} of {source} arrived with other content than the hub announced. It was thrown away; start the download again.',
    ko: '{source}의 {file} 파일 내용이 허브가 알린 것과 다릅니다. 파일을 버렸으니 다시 내려받으세요.',
  },
  'hub-files-missing': {
    en: '{source} has no {files}. Choose a repository that has safetensors weights, config.json and tokenizer.json.',
    ko: '{source}에 {files}이(가) 없습니다. safetensors 가중치, config.json, tokenizer.json이 있는 저장소를 고르세요.',
  },
  'hub-rows-missing': {
    en: 'The dataset {source} has no Parquet rows for {config}/{split}. It has: {known}.',
    ko: '데이터셋 {source}에 {config}/{split}의 Parquet 행이 없습니다. 있는 것: {known}.',
  },
  'hub-token-unkept': {
    en: 'This program cannot keep a token here: {reason}. Set the environment variable HF_TOKEN instead.',
    ko: '여기서는 토큰을 보관할 수 없습니다: {reason}. 환경 변수 HF_TOKEN을 쓰세요.',
  },
} as const satisfies Record<string, { en: string; ko: string }>
