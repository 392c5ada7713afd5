-- A coordinator's list by the time in the state, whatever the state is.
CREATE INDEX referrals_longest_in_state_idx ON referrals (programme_id, state_since, id);
