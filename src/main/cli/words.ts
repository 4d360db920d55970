/** The command line's own sentences in both languages. Errors have theirs in shared/errors.ts. */
import type { Language } from '../../shared/errors'

const WORDS = {
  modelAdded: {
    en: 'Model {id}: {name}, {family}, {layers} layers, width {width}, {size}',
    ko: '모델 {id}: {name}, {family}, 층 {layers}개, 너비 {width}, {size}',
  },
  datasetAdded: {
    en: 'Dataset {id}: {name}, {documents} documents, {size}',
    ko: '데이터셋 {id}: {name}, 문서 {documents}개, {size}',
  },
  nothing: { en: 'Nothing here yet.', ko: '아직 없습니다.' },
  training: {
    en: 'training  step {step} of {steps}  loss {loss}  L0 {l0}  EV {ev}  dead {dead} %  {rate} tokens/s',
    ko: '훈련  {steps}단계 중 {step}  손실 {loss}  L0 {l0}  EV {ev}  무반응 {dead} %  초당 토큰 {rate}',
  },
  queued: { en: 'waiting for the jobs before this one', ko: '앞선 작업을 기다리는 중' },
  atlas: {
    en: 'atlas  {done} of {total} documents  {rate} tokens/s',
    ko: '도감  문서 {total}개 중 {done}  초당 토큰 {rate}',
  },
  stopping: {
    en: 'Stopping: a checkpoint is written first. Ctrl-C again ends at once.',
    ko: '멈추는 중: 체크포인트를 먼저 씁니다. Ctrl-C를 한 번 더 누르면 바로 끝납니다.',
  },
  trained: {
    en: 'Autoencoder {id}: explained variance {ev} at L0 {l0} on {tokens} held-out tokens, {dead} % silent over the last {window} tokens',
    ko: '오토인코더 {id}: 따로 둔 토큰 {tokens}개에서 설명 분산 {ev}, L0 {l0}, 마지막 토큰 {window}개 동안 무반응 {dead} %',
  },
  atlasBuilt: {
    en: 'Atlas of autoencoder {id}: {live} of {total} features fire on {tokens} tokens',
    ko: '오토인코더 {id}의 도감: 특징 {total}개 중 {live}개가 토큰 {tokens}개에서 반응',
  },
  exported: {
    en: 'Catalog of {features} features, {size}: {path}',
    ko: '특징 {features}개의 카탈로그, {size}: {path}',
  },
  labelled: { en: 'Feature {index} is labelled "{label}".', ko: '특징 {index}의 라벨: "{label}"' },
  unlabelled: { en: 'Feature {index} has no label now.', ko: '특징 {index}의 라벨을 지웠습니다.' },
  tagged: { en: 'Tag "{tag}" is on {count} features.', ko: '태그 "{tag}"을(를) 특징 {count}개에 붙였습니다.' },
  flagged: { en: 'Feature {index} is in {category}: {reason}', ko: '특징 {index} → {category}: {reason}' },
  found: {
    en: '{matching} features fire on every positive prompt and on no negative one ({seconds} s)',
    ko: '모든 긍정 프롬프트에서 반응하고 부정 프롬프트에서는 반응하지 않는 특징 {matching}개 ({seconds}초)',
  },
  serving: {
    en: 'Monoscope is served at {address}\nIt is for this machine only. Ctrl-C ends it.',
    ko: 'Monoscope 주소: {address}\n이 컴퓨터에서만 열립니다. Ctrl-C로 끝냅니다.',
  },
  servedElsewhere: {
    en: 'This workspace is open in process {pid}; its page is at {address}',
    ko: '이 작업 공간은 프로세스 {pid}에서 열려 있습니다. 주소: {address}',
  },
  lookAt: {
    en: 'To look at it: npm run -s monoscope -- --workspace {workspace} serve',
    ko: '보려면: npm run -s monoscope -- --workspace {workspace} serve',
  },
  demoDone: {
    en: 'Explained variance {ev} at L0 {l0} on held-out documents, {live} live features, {seconds} s on {backend}.',
    ko: '따로 둔 문서에서 설명 분산 {ev}, L0 {l0}, 반응하는 특징 {live}개, {backend}에서 {seconds}초.',
  },
  demoNeedsModel: {
    en: 'The demo needs a model folder and a text for now: npm run demo -- --model DIR --dataset FILE',
    ko: '아직 데모에는 모델 폴더와 글이 필요합니다: npm run demo -- --model DIR --dataset FILE',
  },
} as const

export type Words = (key: keyof typeof WORDS, values?: Record<string, string | number>) => string

/** Fills a sentence in one language; numbers get thousands separators. */
export const wordsIn =
  (language: Language): Words =>
  (key, values = {}) =>
    WORDS[key][language].replace(/\{(\w+)\}/g, (whole, name: string) => {
      const value = values[name]
      return value === undefined ? whole : typeof value === 'number' ? value.toLocaleString('en-US') : value
    })

export const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`
