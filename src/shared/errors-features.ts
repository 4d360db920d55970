/** Sentences of errors about features: their tags, their map, and neurons. Part of the list in errors.ts. */

export const FEATURE_SENTENCES = {
  'files-changed': {
    en: 'The files of {name} changed since it was added ({path}): figures of them would stand beside the hash of the old ones. Put the old files back, or add it again.',
    ko: '{name}의 파일이 추가한 뒤에 바뀌었습니다({path}). 그대로 계산하면 새 파일의 수치가 옛 파일의 해시 옆에 놓입니다. 옛 파일을 되돌려 놓거나 다시 추가하세요.',
  },
  'tag-exists': {
    en: 'There is a tag {name} already. Choose another name, or put that tag on the features instead.',
    ko: '{name} 태그가 이미 있습니다. 다른 이름을 고르거나 특징에 그 태그를 붙이세요.',
  },
  'compare-models': {
    en: 'One feature belongs to the model {one}, the other to {other}, so that they cannot be read on the same text. Choose two features of one model.',
    ko: '한 특징은 모델 {one}의 것이고 다른 특징은 {other}의 것이어서 같은 글에서 읽을 수 없습니다. 한 모델의 특징 두 개를 고르세요.',
  },
  'neurons-none': {
    en: 'There is no MLP layer before {hookName}, so no neurons to compare its features with. Choose an autoencoder of a later hook point.',
    ko: '{hookName} 앞에 MLP 층이 없어 특징과 견줄 뉴런이 없습니다. 더 뒤쪽 훅 지점의 오토인코더를 고르세요.',
  },
  'neurons-too-few': {
    en: 'No feature of this autoencoder fires on {least} or more tokens of its atlas. Build the atlas on a longer text, or train longer.',
    ko: '도감의 토큰 {least}개 이상에서 발화하는 특징이 이 오토인코더에 없습니다. 더 긴 글로 도감을 만들거나 더 오래 학습하세요.',
  },
  'neurons-too-large': {
    en: '{features} features and {neurons} neurons need {needed} MB of memory; {free} MB are free. Choose fewer features.',
    ko: '특징 {features}개와 뉴런 {neurons}개에는 메모리 {needed} MB가 필요하지만 남은 것은 {free} MB입니다. 특징을 더 적게 고르세요.',
  },
  'map-too-few': {
    en: 'Only {found} features of this autoencoder fire; a map needs at least {least}. Train longer, or use a wider autoencoder.',
    ko: '이 오토인코더에서 발화하는 특징이 {found}개뿐입니다. 지도에는 {least}개 이상이 필요합니다. 더 오래 학습하거나 더 넓은 오토인코더를 쓰세요.',
  },
} as const
