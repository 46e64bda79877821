export { type FoldRow, readFolds, writeFolds } from './folds-file.ts';
export {
  GROUPINGS,
  type Grouping,
  groupsOf,
  joinedGroups,
  STRATIFICATIONS,
  type Stratification,
  sessionOf,
  strataOf,
  visitsSentence,
} from './groups.ts';
export { stratifiedGroupKFold } from './stratified-group-k-fold.ts';
