/** Sentences of errors about activations: values that make no sense, and sets of them on disk. Part of the list in errors.ts. */

export const ACTIVATION_SENTENCES = {
  'activations-invalid': {
    en: 'The model gave a value that is not a finite number at {hookName}: document {document} of the dataset (the first is 0), token {position}. Copy or download the weights again, or leave this document out.',
    ko: '모델이 {hookName}에서 유한한 수가 아닌 값을 냈습니다: 데이터셋의 문서 {document}(첫 문서는 0), 토큰 {position}. 가중치를 다시 복사하거나 내려받거나, 이 문서를 빼세요.',
  },
  'activations-invalid-shard': {
    en: 'Row {row} of {path} holds a value that is not a finite number. Collect these activations again.',
    ko: '{path}의 {row}번째 행에 유한한 수가 아닌 값이 있습니다. 이 활성값을 다시 수집하세요.',
  },
  'activations-constant': {
    en: 'All {tokens} activations looked at for {hookName} are the same, so there is nothing to learn from them. Choose another hook point or text.',
    ko: '{hookName}에서 살펴본 활성값 {tokens}개가 모두 같아 배울 것이 없습니다. 다른 훅 지점이나 텍스트를 고르세요.',
  },
  'activations-overflow': {
    en: 'A value at {hookName} is {value}, and half precision holds {limit} at most: document {document} of the dataset (the first is 0), token {position}. Train on this hook point from the text instead.',
    ko: '{hookName}의 값 {value}이(가) 반정밀도의 한계 {limit}을(를) 넘습니다: 데이터셋의 문서 {document}(첫 문서는 0), 토큰 {position}. 이 훅 지점은 텍스트에서 바로 학습하세요.',
  },
  'activations-changed': {
    en: 'The file {path} is not as it was when these activations were collected. Put the former one back, or collect them again.',
    ko: '{path} 파일이 이 활성값을 수집할 때와 다릅니다. 예전 파일로 되돌리거나 활성값을 다시 수집하세요.',
  },
  'activations-hook': {
    en: 'Activations can be collected where the model is {width} values wide. At {hookName} it is not; choose a residual stream or an output of a block part.',
    ko: '활성값은 모델의 너비가 {width}인 곳에서만 수집할 수 있습니다. {hookName}은(는) 그렇지 않으니 잔차 스트림이나 블록 부분의 출력을 고르세요.',
  },
  'activations-no-room': {
    en: 'These activations take {needed} bytes and {free} are free on the disk. Ask for fewer tokens or hook points, or make room.',
    ko: '이 활성값에는 {needed}바이트가 필요한데 디스크에 {free}바이트가 남아 있습니다. 토큰이나 훅 지점을 줄이거나 자리를 비우세요.',
  },
  'activations-incomplete': {
    en: 'The set of activations {name} is not complete. Let its collection finish first.',
    ko: '활성값 모음 {name}이(가) 아직 완성되지 않았습니다. 먼저 수집을 끝내세요.',
  },
  'activations-unsuitable': {
    en: 'The set of activations {name} has another {what} than this run asks for. Choose what the set was collected with, or another set.',
    ko: '활성값 모음 {name}의 {what}이(가) 이 실행이 요구하는 것과 다릅니다. 모음을 수집할 때와 같게 고르거나 다른 모음을 쓰세요.',
  },
} as const satisfies Record<string, { en: string; ko: string }>
