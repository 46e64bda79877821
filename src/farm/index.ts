export { Answering, PhoneModel } from './answering.ts';
export { answeringRun, answerShown } from './answering-run.ts';
export { bagMark } from './bag-mark.ts';
export { Boundary } from './boundary.ts';
export { Calibration } from './calibration.ts';
export { Cut, CutEvent, CutStep, MOST_EVENTS } from './cut.ts';
export {
  type CutHistory,
  cutHistory,
  mergedEvents,
  type RefusedEvent,
  withEvent,
} from './cut-events.ts';
export { type CutResult, cutResult } from './cut-result.ts';
export { type CutStage, type CutState, NEW_CUT } from './cut-state.ts';
export { cutWarnings, LEAST_CELSIUS } from './cut-warnings.ts';
export {
  type CutsAtHeight,
  cutsAtHeight,
  farmCuttingHeight,
  heightsOf,
  heightWords,
} from './cutting-height.ts';
export { type RegressionMean, regressionMean } from './double-sampling.ts';
export {
  Contested,
  type EditTimes,
  editsBetween,
  editsOf,
  type FieldEdit,
  type FieldEdits,
  followedBy,
  withEdits,
} from './edits.ts';
export { ErrorRecord, RunErrors, variancesAt, vouchedBy } from './error-record.ts';
export { Estimate, PRECISIONS, RunReference } from './estimate.ts';
export { farmCalibration } from './farm-calibration.ts';
export {
  type FeedBudget,
  type FeedBudgetQuestion,
  feedBudget,
  feedOnOffer,
  type GrazingDays,
} from './feed-budget.ts';
export { FeedPlan } from './feed-plan.ts';
export {
  type CalibrationPair,
  type CalibrationQuestion,
  calibratedEstimate,
  calibratedMasses,
  fitCalibration,
} from './fit-calibration.ts';
export { CuttingHeight, FrameArea } from './frame.ts';
export { type FramesOfVisit, framesOf } from './frames-of-visit.ts';
export { instantOf, Moment, Sha256, Uuid } from './identity.ts';
export { Paddock } from './paddock.ts';
export { boundaryHectares, hectaresWarning, paddockHectares } from './paddock-area.ts';
export { guessPaddock, type PaddockCandidate, type PaddockGuess } from './paddock-guess.ts';
export { hasLostParts, withPartsOfTotal } from './parts-of-total.ts';
export { isAskedAlike, PhotoRecord } from './photo-record.ts';
export { Position } from './position.ts';
export { Figure, Source } from './provenance.ts';
export { inUnit, type ResidualVariances, residualVariances } from './residual-variances.ts';
export { AnsweringRun, runVariances, usualError } from './run-variances.ts';
export { type SaidOfPhoto, saidOfPhoto } from './said-of-photo.ts';
export {
  type EffortNeeded,
  effortAdvice,
  effortNeeded,
  quadratsNeeded,
  type VisitSoFar,
  visitSoFar,
  type WorkWorth,
  workWorth,
  worthWords,
} from './sampling-effort.ts';
export { calibrationPair, settledResult } from './settled-cut.ts';
export {
  ANIMALS,
  adultEquivalent,
  CATTLE,
  DSE,
  DSE_PER_AE,
  DSE_RATINGS,
  type StockUnit,
} from './stock-units.ts';
export { heightOfClicks, SwardHeight } from './sward-height.ts';
export { SAME_VISIT_MILLISECONDS, Visit, withPhotoAt } from './visit.ts';
export { type VisitFindings, type VisitFrame, visitFindings } from './visit-findings.ts';
export {
  paddockTotal,
  type SampledFrame,
  type VisitMean,
  type VisitMeanOptions,
  visitMean,
  vouchedNote,
} from './visit-mean.ts';
