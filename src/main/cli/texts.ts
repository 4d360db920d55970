/** What the command line says to people, in both languages. `{name}` is replaced. */
import type { Language } from '../../shared/errors'
import { READING_TEXTS } from './texts-reading'

const TEXTS = {
  ...READING_TEXTS,
  waitingForCommands: {
    en: 'Done. Waiting for other commands that ask this one: {count}. Ctrl-C ends them.',
    ko: '끝났습니다. 이 명령에 묻고 있는 다른 명령을 기다립니다: {count}개. Ctrl-C를 누르면 그것들도 끝납니다.',
  },
  repaired: {
    en: 'Repaired. Taken over: {label} labels, {feature_tag} tags on features, {note} notes, {list} lists, {safety_flag} safety entries, {saved_view} saved views, {run} runs, {sae} autoencoders; {fromCopy} rows came from the copy in backups. Build the atlases again.',
    ko: '복구했습니다. 옮긴 것: 라벨 {label}개, 특징에 붙은 태그 {feature_tag}개, 메모 {note}개, 목록 {list}개, 안전 항목 {safety_flag}개, 저장된 보기 {saved_view}개, 학습 {run}개, 오토인코더 {sae}개. backups의 사본에서 온 행은 {fromCopy}개입니다. 아틀라스는 다시 만드세요.',
  },
  repairedKept: { en: 'The damaged file is kept as {keptAs}.', ko: '손상된 파일은 {keptAs}(으)로 보관했습니다.' },
  modelAdded: {
    en: 'Model {id}: {name} ({family}, {layers} layers, width {width}, {parameters} parameters)',
    ko: '모델 {id}: {name} ({family}, 층 {layers}개, 너비 {width}, 매개변수 {parameters}개)',
  },
  nanTensors: {
    en: 'Note: {count} tensors hold values that are no finite numbers: {names}. What the model computes cannot be relied on.',
    ko: '참고: 텐서 {count}개에 유한한 수가 아닌 값이 있습니다: {names}. 모델의 계산을 믿을 수 없습니다.',
  },
  unusedTensors: {
    en: 'Note: {count} tensors of the files are not used: {names}.',
    ko: '참고: 파일의 텐서 {count}개는 쓰지 않습니다: {names}.',
  },
  datasetAdded: {
    en: 'Dataset {id}: {name} ({documents} documents, {bytes} bytes)',
    ko: '데이터셋 {id}: {name} (문서 {documents}개, {bytes}바이트)',
  },
  listing: { en: 'downloading {source}: asking for the list of files', ko: '내려받기 {source}: 파일 목록을 묻는 중' },
  downloading: {
    en: 'downloading {source}: {done} of {total}, {speed}/s, {file}',
    ko: '내려받기 {source}: {total} 중 {done}, 초당 {speed}, {file}',
  },
  checking: { en: 'checking {source}', ko: '확인 중 {source}' },
  stoppingDownload: {
    en: 'Stopping; what has arrived is kept for the next try.',
    ko: '멈추는 중입니다. 받은 것은 다음 시도를 위해 남겨 둡니다.',
  },
  hubOnline: { en: 'Downloads are allowed.', ko: '내려받기가 켜져 있습니다.' },
  hubOffline: {
    en: 'Downloads are switched off. Allow them with: hub offline off',
    ko: '내려받기가 꺼져 있습니다. 켜려면: hub offline off',
  },
  hubOfflineByEnvironment: {
    en: 'Downloads are switched off by the environment variable HF_HUB_OFFLINE.',
    ko: '환경 변수 HF_HUB_OFFLINE이 내려받기를 껐습니다.',
  },
  tokenNone: {
    en: 'No access token; gated repositories need one in HF_TOKEN.',
    ko: '액세스 토큰이 없습니다. 승인이 필요한 저장소에는 HF_TOKEN에 토큰을 넣어야 합니다.',
  },
  tokenEnvironment: {
    en: 'The access token comes from the environment.',
    ko: '액세스 토큰은 환경 변수에서 옵니다.',
  },
  tokenKeychain: { en: 'The access token comes from the keychain.', ko: '액세스 토큰은 키체인에서 옵니다.' },
  hubCache: { en: 'Files go to {path}', ko: '파일을 두는 곳: {path}' },
  tokensCounted: {
    en: '{name} has {tokens} tokens for {modelName}.',
    ko: '{name}: {modelName} 기준 토큰 {tokens}개',
  },
  tokensEstimated: {
    en: '{name} has about {tokens} tokens for {modelName}, judged by its beginning.',
    ko: '{name}: {modelName} 기준 토큰 약 {tokens}개(앞부분으로 추정)',
  },
  none: { en: 'There is nothing here yet.', ko: '아직 아무것도 없습니다.' },
  training: {
    en: 'training {name}: step {step} of {steps}, loss {loss}, L0 {l0}, explained variance {ev}, {speed} tokens/s{left}',
    ko: '학습 {name}: {steps}단계 중 {step}, 손실 {loss}, L0 {l0}, 설명된 분산 {ev}, 초당 토큰 {speed}개{left}',
  },
  working: { en: '{what} {name}: {done} of {total}{left}', ko: '{what} {name}: {total} 중 {done}{left}' },
  timeLeft: { en: ', about {time} left', ko: ', 약 {time} 남음' },
  atlas: { en: 'feature atlas', ko: '특징 도감' },
  collecting: { en: 'activations', ko: '활성값 수집' },
  evaluating: { en: 'evaluation', ko: '평가' },
  comparing: { en: 'features against neurons', ko: '특징과 뉴런 비교' },
  mapping: { en: 'feature map', ko: '특징 지도' },
  trainingWork: { en: 'training', ko: '학습' },
  activationQuote: {
    en: '{tokens} tokens at each hook point, {bytes} bytes on disk; {freeBytes} bytes are free.',
    ko: '훅 지점마다 토큰 {tokens}개, 디스크 {bytes}바이트. 남은 자리 {freeBytes}바이트.',
  },
  activationSet: {
    en: 'Activations {id} "{name}": {state}, {hooks}, {tokens} vectors each, {bytes} bytes.',
    ko: '활성값 {id} "{name}": {state}, {hooks}, 지점마다 벡터 {tokens}개, {bytes}바이트.',
  },
  activationsRemoved: { en: 'Activations {id} are deleted.', ko: '활성값 {id}을(를) 지웠습니다.' },
  runDone: {
    en: 'Run {id} "{name}": {state}. On {tokens} held-out tokens: explained variance {ev}, L0 {l0}.',
    ko: '실행 {id} "{name}": {state}. 따로 떼어 둔 토큰 {tokens}개에서 설명된 분산 {ev}, L0 {l0}.',
  },
  runEnded: { en: 'Run {id} "{name}": {state}.', ko: '실행 {id} "{name}": {state}.' },
  forecast: {
    en: 'About {seconds} s: start {start} s, activations {collect} s, {steps} s of steps, evaluations {judge} s.',
    ko: '약 {seconds}초: 시작 {start}초, 활성값 {collect}초, 단계 {steps}초, 평가 {judge}초.',
  },
  forecastSpeeds: {
    en: 'One step {stepMs} ms ({route}), {denseStepMs} ms before the code is sparse; {tokens} tokens to collect at {speed} tokens/s.',
    ko: '한 단계 {stepMs} ms({route}), 부호가 희소해지기 전 {denseStepMs} ms. 수집할 토큰 {tokens}개, 초당 토큰 {speed}개.',
  },
  forecastRoom: {
    en: 'Memory at most {memory} MB, {freeMemory} MB are free; disk {disk} MB, {freeDisk} MB are free.',
    ko: '메모리 최대 {memory} MB(남은 {freeMemory} MB), 디스크 {disk} MB(남은 {freeDisk} MB).',
  },
  forecastNoMemory: {
    en: 'Note: this is more memory than is free. Lower the width, the batch or the buffer.',
    ko: '참고: 남은 메모리보다 많습니다. 너비, 배치, 버퍼를 줄이세요.',
  },
  forecastBusy: {
    en: 'Note: measured while the machine was busy (load {load} per core); on a quiet one it goes faster.',
    ko: '참고: 컴퓨터가 바쁠 때 쟀습니다(코어당 부하 {load}). 한가하면 더 빠릅니다.',
  },
  forecastNoDisk: {
    en: 'Note: this is more disk than is free. Delete files, or use a workspace on another disk.',
    ko: '참고: 남은 디스크보다 많습니다. 파일을 지우거나 다른 디스크의 작업 공간을 쓰세요.',
  },
  atlasDone: {
    en: 'SAE {id} "{name}": atlas over {tokens} tokens of {documents} documents, {live} live features.',
    ko: 'SAE {id} "{name}": 문서 {documents}개의 토큰 {tokens}개로 만든 도감, 살아 있는 특징 {live}개.',
  },
  neuronsDone: {
    en: `SAE {id} "{name}": {share} % of {features} features (drawn from {eligible}) have no neuron with |r| above 0.3.
  Pearson correlation with {neurons} MLP neurons of {layers} layers over {tokens} tokens of {dataset}; feature, r, best neuron, name:`,
    ko: `SAE {id} "{name}": 특징 {features}개({eligible}개에서 추출) 가운데 {share} %는 |r|이 0.3을 넘는 뉴런이 없습니다.
  {dataset}의 토큰 {tokens}개에서 {layers}개 층의 MLP 뉴런 {neurons}개와 구한 피어슨 상관. 특징, r, 가장 가까운 뉴런, 이름:`,
  },
  staleFile: {
    en: '{what} "{name}" was changed since its figures were made ({path}): they are of the files as they were.',
    ko: '{what} "{name}"이(가) 수치를 낸 뒤에 바뀌었습니다({path}). 수치는 바뀌기 전 파일의 것입니다.',
  },
  staleModel: { en: 'The model', ko: '모델' },
  staleSae: { en: 'The autoencoder', ko: '오토인코더' },
  staleDataset: { en: 'The text', ko: '텍스트' },
  acrossNoAtlas: {
    en: 'Not compared: SAE "{name}" has no atlas yet; "monoscope atlas" builds one.',
    ko: '비교하지 않음: SAE "{name}"에 아직 도감이 없습니다. "monoscope atlas" 명령으로 만듭니다.',
  },
  acrossNoFile: {
    en: 'Not compared: the files of SAE "{name}" cannot be read or are of another width.',
    ko: '비교하지 않음: SAE "{name}"의 파일을 읽을 수 없거나 너비가 다릅니다.',
  },
  compareFeature: { en: 'feature', ko: '특징' },
  compareName: { en: 'name', ko: '이름' },
  compareDensity: { en: 'density', ko: '밀도' },
  compareMax: { en: 'largest', ko: '최대' },
  compareMean: { en: 'mean', ko: '평균' },
  compareEncoder: { en: 'encoder and decoder', ko: '인코더와 디코더' },
  compareShare: { en: 'the other one is active on', ko: '다른 특징도 발화' },
  compareCosine: { en: 'cosine of the decoder rows', ko: '디코더 행의 코사인' },
  compareRead: {
    en: 'On {tokens} tokens around the strongest contexts of both: {firedOne} and {firedOther} active, {firedBoth} on both, r {r}',
    ko: '두 특징의 가장 강한 문맥 주변 토큰 {tokens}개: 각각 {firedOne}개와 {firedOther}개, 함께 {firedBoth}개에서 발화, r {r}',
  },
  compareOne: {
    en: 'Strongest contexts of {index}, after what the second feature does at the peak:',
    ko: '{index}번의 가장 강한 문맥 (맨 앞은 그 자리에서 두 번째 특징의 활성):',
  },
  compareOther: {
    en: 'Strongest contexts of {index}, after what the first feature does at the peak:',
    ko: '{index}번의 가장 강한 문맥 (맨 앞은 그 자리에서 첫 번째 특징의 활성):',
  },
  acrossNone: {
    en: 'No other autoencoder of this model reads the same hook.',
    ko: '이 모델의 같은 훅을 읽는 다른 오토인코더가 없습니다.',
  },
  neuronPlace: { en: 'layer {layer}, neuron {neuron}', ko: '층 {layer}, 뉴런 {neuron}' },
  neuronNone: { en: 'none', ko: '없음' },
  bestNeuron: {
    en: '  best neuron: {place}, r {r} over {tokens} tokens',
    ko: '  가장 가까운 뉴런: {place}, 토큰 {tokens}개에서 r {r}',
  },
  neuronUndrawn: {
    en: '  best neuron: unknown, it is not among the {features} features that were drawn',
    ko: '  가장 가까운 뉴런: 알 수 없음. 추출한 특징 {features}개에 들지 않았습니다',
  },
  neuronsUnmeasured: {
    en: '  best neuron: not measured yet, see "monoscope neurons"',
    ko: '  가장 가까운 뉴런: 아직 재지 않았습니다. "monoscope neurons" 명령으로 잽니다',
  },
  mapDone: {
    en: `SAE {id} "{name}": map of {features} features in {clusters} clusters of {sizes} features.
  UMAP of decoder directions: cosine, {neighbours} neighbours, min_dist {minDist}, spread {spread}, {epochs} epochs, seed {seed}; fitted on {fitted}, {placed} placed among them; Louvain, resolution {resolution}`,
    ko: `SAE {id} "{name}": 특징 {features}개의 지도, 군집 {clusters}개(특징 수 {sizes}).
  디코더 방향의 UMAP: 코사인, 이웃 {neighbours}개, min_dist {minDist}, spread {spread}, {epochs}에폭, 시드 {seed}. 맞춘 특징 {fitted}개, 그 사이에 놓은 특징 {placed}개. Louvain, 해상도 {resolution}`,
  },
  notEvaluated: { en: 'SAE {id} "{name}" has no evaluation.', ko: 'SAE {id} "{name}": 평가가 없습니다.' },
  evaluated: {
    en: `SAE {id} "{name}" on {tokens} tokens of {dataset}, {heldOut}:
  explained variance {explainedVariance}, normalised squared error {normalisedMse}, cosine {cosine}, length ratio {l2Ratio}, shrinkage {shrinkage}, relative reconstruction bias {relativeBias}
  L0 {l0}, L1 {l1}, features silent on these tokens {silent}
  loss of next tokens in nats: model {ceClean}, with the reconstruction {ceSpliced}, with zeros {ceZero}, with the mean {ceMean}
  recovered from zeros {recovered}, from the mean {recoveredMean}; KL {kl} nats, undone from zeros {klScore}`,
    ko: `SAE {id} "{name}", {dataset}의 토큰 {tokens}개({heldOut}):
  설명된 분산 {explainedVariance}, 정규화 제곱 오차 {normalisedMse}, 코사인 {cosine}, 길이 비율 {l2Ratio}, 수축 {shrinkage}, 상대 재구성 편향 {relativeBias}
  L0 {l0}, L1 {l1}, 이 토큰들에서 반응 없는 특징 {silent}
  다음 토큰의 손실(내트): 모델 {ceClean}, 재구성을 넣으면 {ceSpliced}, 0을 넣으면 {ceZero}, 평균을 넣으면 {ceMean}
  0 대비 회복 {recovered}, 평균 대비 {recoveredMean}, KL {kl}내트, 0 대비 KL 회복 {klScore}`,
  },
  evaluatedHeldOut: { en: 'documents that were held out of its training', ko: '학습에서 따로 둔 문서' },
  evaluatedUnknown: {
    en: 'of which it is not known whether they were trained on',
    ko: '학습에 쓰였는지는 알 수 없음',
  },
  featureCount: {
    en: '{matching} of {total} features, {alive} alive',
    ko: '특징 {total}개 중 {matching}개, 살아 있는 것 {alive}개',
  },
  labelled: { en: 'Feature {index} is labelled "{text}".', ko: '특징 {index}의 이름: "{text}".' },
  unlabelled: { en: 'Feature {index} has no chosen label.', ko: '특징 {index}에는 고른 이름이 없습니다.' },
  tagged: { en: 'Features {indexes} carry the tag "{name}".', ko: '특징 {indexes}에 "{name}" 태그를 붙였습니다.' },
  flagged: {
    en: 'Feature {index} is in {category}: {reason}',
    ko: '특징 {index}을(를) {category}에 넣었습니다: {reason}',
  },
  exported: { en: 'Catalog of {features} features: {path}', ko: '특징 {features}개의 카탈로그: {path}' },
  serving: {
    en: 'Open {address} in a browser. Ctrl-C ends it.',
    ko: '브라우저에서 {address}을(를) 여세요. Ctrl-C로 끝냅니다.',
  },
  lookAtIt: { en: 'To look at it in a browser: {command}', ko: '브라우저에서 보려면: {command}' },
  stopping: {
    en: 'Stopping; a last checkpoint is being written. Ctrl-C again ends at once.',
    ko: '멈추는 중입니다. 마지막 체크포인트를 쓰고 있습니다. Ctrl-C를 다시 누르면 바로 끝납니다.',
  },
  elsewhere: {
    en: 'The workspace is open in process {pid}; asking it.',
    ko: '작업 공간이 프로세스 {pid}에서 열려 있어 그쪽에 요청합니다.',
  },
  halfDemo: {
    en: 'Give both --model DIR and --dataset FILE, or neither for the bundled demo. DIR holds config.json, tokenizer.json and model.safetensors; FILE is text or JSONL.',
    ko: '--model 폴더와 --dataset 파일을 함께 주거나, 함께 제공되는 데모를 쓰려면 둘 다 빼세요. 폴더에는 config.json, tokenizer.json, model.safetensors가 있어야 하고 파일은 텍스트나 JSONL입니다.',
  },
  heldOut: {
    en: 'explainedVariance and l0 are measured on {tokens} tokens of held-out documents',
    ko: 'explainedVariance와 l0은 학습에 쓰지 않은 문서의 토큰 {tokens}개에서 잰 값입니다',
  },
  demoDone: {
    en: 'Explained variance {ev} at L0 {l0} on {tokens} tokens of held-out documents; {live} live features; {seconds} s on {backend}. Catalog: {catalog}',
    ko: '따로 떼어 둔 문서의 토큰 {tokens}개에서 설명된 분산 {ev}, L0 {l0}, 살아 있는 특징 {live}개, {backend}에서 {seconds}초. 카탈로그: {catalog}',
  },
} as const satisfies Record<string, Record<Language, string>>

export type TextName = keyof typeof TEXTS

/** A sentence with its placeholders filled. */
export function text(language: Language, name: TextName, values: Record<string, string | number> = {}): string {
  return TEXTS[name][language].replace(/\{(\w+)\}/g, (whole, key: string) => String(values[key] ?? whole))
}
