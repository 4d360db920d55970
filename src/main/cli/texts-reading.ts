/** What the command line says of reading texts and of conversations, in both languages. */
import type { Language } from '../../shared/errors'

export const READING_TEXTS = {
  textStarts: {
    en: '  A text starts with {token} ({choice}).',
    ko: '  텍스트는 {token}(으)로 시작합니다({choice}).',
  },
  textStartsBare: {
    en: '  Nothing stands before a text ({choice}).',
    ko: '  텍스트 앞에 아무것도 두지 않습니다({choice}).',
  },
  readText: {
    en: '{tokens} tokens, mean loss {nats} nats ({took})',
    ko: '토큰 {tokens}개, 평균 손실 {nats}내트 ({took})',
  },
  textRead: {
    en: '{tokens} tokens, {features} active features ({took})',
    ko: '토큰 {tokens}개, 활성 특징 {features}개 ({took})',
  },
  textFit: {
    en: 'Explained variance of this text {ev}; of held-out text {heldOut}.',
    ko: '이 글의 설명된 분산 {ev}, 학습에 쓰지 않은 글의 설명된 분산 {heldOut}.',
  },
  textOutside: {
    en: 'Note: this text lies outside of what the autoencoder has learned: it explains {ev} of its variance, of held-out text {heldOut}. What its features mean does not have to hold here.',
    ko: '참고: 이 글은 오토인코더가 학습한 범위를 벗어납니다. 설명된 분산이 {ev}이고, 학습에 쓰지 않은 글에서는 {heldOut}입니다. 특징의 뜻이 여기서는 맞지 않을 수 있습니다.',
  },
  searched: {
    en: '{matching} features fire on every positive prompt and on no negative one ({took}).',
    ko: '모든 긍정 프롬프트에서 켜지고 부정 프롬프트에서는 켜지지 않는 특징 {matching}개 ({took}).',
  },
  staying: {
    en: 'Process {pid} keeps the workspace and what is loaded, until nobody has asked for {seconds} s.',
    ko: '프로세스 {pid}이(가) 작업 공간과 불러온 모델을 들고 있다가 {seconds}초 동안 아무도 묻지 않으면 끝납니다.',
  },
  took: { en: '{seconds} s', ko: '{seconds}초' },
  tookAfter: {
    en: '{seconds} s, after {ready} s until the model was ready',
    ko: '{seconds}초, 모델 준비까지 {ready}초',
  },
  chatLength: {
    en: 'The answer was cut off at the number of tokens asked for; --tokens gives more.',
    ko: '정해진 토큰 수에서 답이 끊겼습니다. 더 길게 받으려면 --tokens를 늘리세요.',
  },
  chatContext: {
    en: 'The answer was cut off where the context of the model ends. Begin a new conversation.',
    ko: '모델의 문맥이 다 차서 답이 끊겼습니다. 새 대화를 시작하세요.',
  },
} as const satisfies Record<string, Record<Language, string>>
