import type { Generated } from 'kysely';

/** A moment as the server's clock had it, ISO in UTC. */
type Timestamp = string;
/** A record of the domain, as JSON that its schema has checked. */
type Json = string;
/** When each field of the record was last changed, as JSON. */
type EditTimes = Generated<Json>;

/** What `sward.db` holds. Records of the domain are kept whole, beside the columns that they are found and bound by. */
export interface Tables {
  /** One row. */
  readonly farm: { id: 1; name: string; run_id: string };
  readonly devices: {
    id: string;
    name: string;
    role: string;
    token_hash: string;
    created_at: Timestamp;
    /** When it last asked, about. */
    seen_at: Timestamp | null;
    revoked_at: Timestamp | null;
  };
  readonly pairings: {
    id: string;
    name: string;
    role: string;
    secret_hash: string;
    expires_at: Timestamp;
    used_at: Timestamp | null;
  };
  readonly paddocks: { id: string; body: Json; changed: EditTimes };
  readonly visits: {
    id: string;
    paddock_id: string;
    started_at: Timestamp;
    body: Json;
    changed: EditTimes;
  };
  /** Visits that are part of another since they began with it. */
  readonly joined_visits: { id: string; visit_id: string; started_at: Timestamp; joined_at: Timestamp };
  /** What was removed, so that devices that were away remove it too and do not bring it back. */
  readonly removals: { id: string; kind: string; removed_at: Timestamp };
  readonly photos: {
    id: string;
    visit_id: string | null;
    sha256: string;
    captured_at: Timestamp;
    stored_at: Timestamp;
    /** What the file says of itself. */
    file: Json;
    body: Json;
    changed: EditTimes;
  };
  readonly cuts: { id: string; visit_id: string; photo_id: string | null };
  /** Only added to. */
  readonly cut_events: { id: string; cut_id: string; position: Generated<number>; body: Json };
  readonly runs: {
    id: string;
    name: string;
    hash: string;
    origin: string;
    added_at: Timestamp;
    area_m2: number;
    /** How it errs on visits that it has not seen. */
    errors: Json;
    /** Where a run lies that was given at the start; null: in the farm's folder, or bundled. */
    folder: string | null;
  };
  readonly estimates: {
    id: string;
    photo_id: string;
    run_hash: string;
    estimated_at: Timestamp;
    /** Null where the run could not answer. */
    body: Json | null;
    /** Why it could not. */
    problem: string | null;
  };
  readonly jobs: {
    id: string;
    kind: string;
    state: string;
    asked: Json;
    progress: Json;
    created_at: Timestamp;
    finished_at: Timestamp | null;
  };
  readonly calibrations: { id: string; run_hash: string; made_at: Timestamp; body: Json };
}
