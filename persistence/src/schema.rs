//! The tables, by hand, in the column types that both databases share. The migrations of both must say the same.

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    audit_events (id) {
        id -> DbUuid,
        writer_id -> DbUuid,
        seq -> BigInt,
        prev_hash -> Binary,
        hash -> Binary,
        at -> DbInstant,
        caller_kind -> Text,
        user_id -> Nullable<DbUuid>,
        api_client_id -> Nullable<DbUuid>,
        role -> Nullable<Text>,
        organisation_id -> Nullable<DbUuid>,
        programme_id -> Nullable<DbUuid>,
        client_id -> Nullable<DbUuid>,
        referral_id -> Nullable<DbUuid>,
        operation -> Text,
        action -> Text,
        outcome -> Text,
        reason -> Nullable<Text>,
        reason_salt -> Nullable<Binary>,
        reason_hash -> Nullable<Binary>,
        request_id -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    audit_beginnings (writer_id) {
        writer_id -> DbUuid,
        seq -> BigInt,
        prev_hash -> Binary,
        at -> DbInstant,
        key_id -> Text,
        signature -> Binary,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    data_keys (id) {
        id -> SmallInt,
        check_value -> Binary,
        since -> DbInstant,
        retired_at -> Nullable<DbInstant>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    idempotency_keys (caller, operation, key) {
        caller -> Text,
        operation -> Text,
        key -> Text,
        fingerprint -> Binary,
        status -> SmallInt,
        created_at -> DbInstant,
        id -> DbUuid,
        client_id -> Nullable<DbUuid>,
        answer -> Nullable<Binary>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    programmes (id) {
        id -> DbUuid,
        version -> BigInt,
        name -> Text,
        controller -> Text,
        privacy_notice_url -> Nullable<Text>,
        active -> Bool,
        refresher_months -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    programme_municipalities (programme_id, municipality) {
        programme_id -> DbUuid,
        municipality -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    programme_terms (id) {
        id -> DbUuid,
        programme_id -> DbUuid,
        valid_from -> Date,
        max_months -> BigInt,
        max_minutes_per_month -> BigInt,
        fee_cents_per_hour -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    organisations (id) {
        id -> DbUuid,
        version -> BigInt,
        programme_id -> DbUuid,
        name -> Text,
        kind -> Text,
        sector -> Nullable<Text>,
        municipality -> Nullable<Text>,
        active -> Bool,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    users (id) {
        id -> DbUuid,
        version -> BigInt,
        programme_id -> DbUuid,
        login -> Text,
        name -> Text,
        password_hash -> Nullable<Text>,
        active -> Bool,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    role_assignments (id) {
        id -> DbUuid,
        version -> BigInt,
        programme_id -> DbUuid,
        user_id -> DbUuid,
        role -> Text,
        organisation_id -> Nullable<DbUuid>,
        valid_from -> Date,
        valid_until -> Nullable<Date>,
        given_by -> Nullable<DbUuid>,
        given_at -> DbInstant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    api_clients (id) {
        id -> DbUuid,
        version -> BigInt,
        programme_id -> DbUuid,
        name -> Text,
        source_system -> Text,
        secret_sha256 -> Binary,
        secret_expires_at -> Nullable<DbInstant>,
        active -> Bool,
        created_at -> DbInstant,
        old_secret_sha256 -> Nullable<Binary>,
        old_secret_until -> Nullable<DbInstant>,
        secret_used_at -> Nullable<DbInstant>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    identities (id) {
        id -> DbUuid,
        issuer -> Text,
        subject -> Text,
        user_id -> Nullable<DbUuid>,
        api_client_id -> Nullable<DbUuid>,
        created_by -> Nullable<DbUuid>,
        created_at -> DbInstant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    revocations (subject) {
        subject -> Text,
        not_before -> DbInstant,
        until -> DbInstant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    api_client_keys (id) {
        id -> DbUuid,
        api_client_id -> DbUuid,
        key_name -> Text,
        algorithm -> Text,
        jwk -> Text,
        expires_at -> Nullable<DbInstant>,
        created_at -> DbInstant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    used_assertions (api_client_id, jti_sha256) {
        api_client_id -> DbUuid,
        jti_sha256 -> Binary,
        until -> DbInstant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    api_client_organisations (api_client_id, organisation_id) {
        api_client_id -> DbUuid,
        organisation_id -> DbUuid,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    clients (id) {
        id -> DbUuid,
        version -> BigInt,
        programme_id -> DbUuid,
        user_id -> Nullable<DbUuid>,
        provisional -> Bool,
        given_name -> Text,
        family_name -> Text,
        phone -> Nullable<Text>,
        email -> Nullable<Text>,
        address -> Nullable<Text>,
        client_will_contact -> Bool,
        birth_date -> Nullable<Date>,
        birth_year -> Nullable<BigInt>,
        identity_code_cipher -> Nullable<Binary>,
        identity_code_index -> Nullable<Binary>,
        identity_code_index_2 -> Nullable<Binary>,
        sex -> Nullable<Text>,
        municipality -> Text,
        language -> Text,
        interpreter_needed -> Bool,
        non_disclosure -> Bool,
        lives_at_home -> Nullable<Bool>,
        created_at -> DbInstant,
        standing -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    referrals (id) {
        id -> DbUuid,
        version -> BigInt,
        programme_id -> DbUuid,
        client_id -> DbUuid,
        channel -> Text,
        referrer_user_id -> Nullable<DbUuid>,
        api_client_id -> Nullable<DbUuid>,
        organisation_id -> Nullable<DbUuid>,
        sector -> Text,
        municipality -> Text,
        state -> Text,
        state_since -> DbInstant,
        coordinator_id -> Nullable<DbUuid>,
        asked -> Nullable<Text>,
        queue_accepted_at -> Nullable<DbInstant>,
        queue_priority -> Nullable<Text>,
        resume_on -> Nullable<Date>,
        back_to -> Nullable<Text>,
        assignment_id -> Nullable<DbUuid>,
        support_period_id -> Nullable<DbUuid>,
        follow_up_on -> Nullable<Date>,
        outcome -> Nullable<Text>,
        end_reason -> Nullable<Text>,
        route -> Nullable<Text>,
        closed_at -> Nullable<DbInstant>,
        closed_by_user -> Nullable<DbUuid>,
        closed_by_role -> Nullable<Text>,
        created_at -> DbInstant,
        submitted_at -> Nullable<DbInstant>,
        link_worker_user_id -> Nullable<DbUuid>,
        shared_until -> Nullable<Date>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    referral_details (referral_id) {
        referral_id -> DbUuid,
        referrer_name -> Nullable<Text>,
        referrer_contact -> Nullable<Text>,
        feedback_wanted -> Bool,
        wish -> Nullable<Text>,
        background -> Nullable<Text>,
        written_together -> Bool,
        joint_meeting_wished -> Bool,
        not_a_service_acknowledged -> Bool,
        source_system -> Nullable<Text>,
        source_id -> Nullable<Text>,
        previous_referral_id -> Nullable<DbUuid>,
        tracking_code_sha256 -> Nullable<Binary>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    referral_snapshots (referral_id) {
        referral_id -> DbUuid,
        programme_id -> DbUuid,
        submitted_on -> Date,
        age -> BigInt,
        sex -> Nullable<Text>,
        municipality -> Text,
        evaluation -> Bool,
        evaluation_until -> Nullable<Date>,
        state -> Text,
        outcome -> Nullable<Text>,
        route -> Nullable<Text>,
        sector -> Text,
        reasons -> Text,
        assigned -> Bool,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    referral_reasons (referral_id, reason) {
        referral_id -> DbUuid,
        reason -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    consents (id) {
        id -> DbUuid,
        referral_id -> DbUuid,
        purposes -> Text,
        withdrawn_purposes -> Text,
        text_version -> Text,
        language -> Text,
        method -> Text,
        given_with -> Nullable<Text>,
        given_at -> DbInstant,
        valid_until -> Nullable<Date>,
        recorded_by -> Nullable<DbUuid>,
        verified_at -> Nullable<DbInstant>,
        verified_by -> Nullable<DbUuid>,
        withdrawn_at -> Nullable<DbInstant>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    consent_texts (id) {
        id -> DbUuid,
        programme_id -> DbUuid,
        version -> Text,
        language -> Text,
        body -> Text,
        valid_from -> Date,
        published_at -> DbInstant,
        published_by -> Nullable<DbUuid>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    messages (id) {
        id -> DbUuid,
        referral_id -> DbUuid,
        kind -> Text,
        sender -> Text,
        recipient -> Text,
        user_id -> Nullable<DbUuid>,
        words -> Text,
        sent_at -> DbInstant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    contact_attempts (id) {
        id -> DbUuid,
        referral_id -> DbUuid,
        channel -> Text,
        result -> Text,
        attempted_at -> DbInstant,
        recorded_by -> DbUuid,
        note -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    events (id) {
        id -> DbUuid,
        referral_id -> DbUuid,
        programme_id -> DbUuid,
        kind -> Text,
        at -> DbInstant,
        caller_kind -> Text,
        user_id -> Nullable<DbUuid>,
        api_client_id -> Nullable<DbUuid>,
        role -> Nullable<Text>,
        from_state -> Nullable<Text>,
        to_state -> Nullable<Text>,
        reason -> Nullable<Text>,
        comment -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    link_workers (id) {
        id -> DbUuid,
        version -> BigInt,
        programme_id -> DbUuid,
        user_id -> DbUuid,
        name -> Text,
        status -> Text,
        languages -> Text,
        interests -> Nullable<Text>,
        max_clients -> BigInt,
        hours_per_month -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    link_worker_municipalities (link_worker_id, municipality) {
        link_worker_id -> DbUuid,
        municipality -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    contracts (id) {
        id -> DbUuid,
        link_worker_id -> DbUuid,
        kind -> Text,
        employer_id -> DbUuid,
        valid_from -> Date,
        valid_until -> Nullable<Date>,
        fee_cents_per_hour -> Nullable<BigInt>,
        insurance_note -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    trainings (id) {
        id -> DbUuid,
        link_worker_id -> DbUuid,
        kind -> Text,
        provider -> Text,
        completed_on -> Date,
        credits_tenths -> Nullable<BigInt>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    assignments (id) {
        id -> DbUuid,
        version -> BigInt,
        programme_id -> DbUuid,
        referral_id -> DbUuid,
        link_worker_id -> DbUuid,
        link_worker_user_id -> DbUuid,
        proposed_by -> DbUuid,
        proposed_at -> DbInstant,
        expires_at -> DbInstant,
        message -> Nullable<Text>,
        state -> Text,
        answered_at -> Nullable<DbInstant>,
        decline_reason -> Nullable<Text>,
        ended_at -> Nullable<DbInstant>,
        end_reason -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    support_periods (id) {
        id -> DbUuid,
        version -> BigInt,
        programme_id -> DbUuid,
        referral_id -> DbUuid,
        client_id -> DbUuid,
        starts_on -> Date,
        planned_end_on -> Date,
        first_planned_end_on -> Date,
        state -> Text,
        paused_since -> Nullable<DbInstant>,
        pause_reason -> Nullable<Text>,
        ended_on -> Nullable<Date>,
        end_proposed_by -> Nullable<DbUuid>,
        end_proposed_at -> Nullable<DbInstant>,
        end_proposal_reason -> Nullable<Text>,
        quiet_since -> Nullable<Date>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    goals (id) {
        id -> DbUuid,
        version -> BigInt,
        support_period_id -> DbUuid,
        words -> Text,
        steps -> DbJson,
        outcome -> Nullable<Text>,
        recorded_at -> DbInstant,
        outcome_role -> Nullable<Text>,
        outcome_by -> Nullable<DbUuid>,
        outcome_at -> Nullable<DbInstant>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    activities (id) {
        id -> DbUuid,
        version -> BigInt,
        programme_id -> DbUuid,
        organisation_id -> Nullable<DbUuid>,
        name -> Text,
        name_lower -> Text,
        description -> Nullable<Text>,
        price -> Text,
        kaikukortti -> Bool,
        remote -> Bool,
        languages -> Text,
        checked_on -> Date,
        text_language -> Text,
        summary -> Nullable<Text>,
        translations -> DbJson,
        keywords -> Text,
        provider -> Nullable<DbJson>,
        status -> Text,
        content_kind -> Text,
        themes -> Text,
        municipalities -> Text,
        nationwide -> Bool,
        notes -> DbJson,
        schedule -> DbJson,
        places -> DbJson,
        contact -> DbJson,
        source -> Text,
        source_id -> Nullable<DbUuid>,
        source_modified -> Nullable<DbInstant>,
        licence -> Nullable<Text>,
        search_no -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    activity_sources (activity_id) {
        activity_id -> DbUuid,
        content_hash -> Binary,
        classes -> Text,
        channels -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    activity_import_records (programme_id, kind, source_id) {
        programme_id -> DbUuid,
        kind -> Text,
        source_id -> DbUuid,
        business_id -> Nullable<Text>,
        content_hash -> Binary,
        content -> DbJson,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    activity_imports (id) {
        id -> DbUuid,
        version -> BigInt,
        programme_id -> DbUuid,
        origin -> Text,
        municipalities -> Text,
        changed_since -> Nullable<DbInstant>,
        state -> Text,
        phase -> Text,
        step -> BigInt,
        page -> BigInt,
        item -> BigInt,
        pages_of_step -> Nullable<BigInt>,
        pages -> BigInt,
        seen -> BigInt,
        added -> BigInt,
        changed -> BigInt,
        unchanged -> BigInt,
        tombstoned -> BigInt,
        skipped -> BigInt,
        faults -> DbJson,
        problem -> Nullable<Text>,
        created_at -> DbInstant,
        created_by -> Nullable<DbUuid>,
        beat_at -> Nullable<DbInstant>,
        finished_at -> Nullable<DbInstant>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    theme_mappings (programme_id) {
        programme_id -> DbUuid,
        version -> BigInt,
        entries -> DbJson,
        changed_at -> DbInstant,
        changed_by -> Nullable<DbUuid>,
        applied_after -> Nullable<DbUuid>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    activity_links (id) {
        id -> DbUuid,
        version -> BigInt,
        referral_id -> DbUuid,
        activity_id -> DbUuid,
        state -> Text,
        continues -> Nullable<Bool>,
        barrier -> Nullable<Text>,
        proposed_at -> DbInstant,
        unmet_needs -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    visits (id) {
        id -> DbUuid,
        version -> BigInt,
        programme_id -> DbUuid,
        referral_id -> DbUuid,
        client_id -> DbUuid,
        support_period_id -> DbUuid,
        visit_on -> Date,
        minutes -> BigInt,
        mode -> Text,
        purpose -> Text,
        support_kinds -> Text,
        travel_metres -> BigInt,
        travel_minutes -> BigInt,
        note -> Nullable<Text>,
        barriers -> Text,
        state -> Text,
        recorded_at -> Nullable<DbInstant>,
        over_limit_reason -> Nullable<Text>,
        absent_party -> Nullable<Text>,
        worker_cents_per_hour -> BigInt,
        absence_reason -> Nullable<Text>,
        unmet_needs -> Text,
        travel_passengers -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    referral_closings (referral_id) {
        referral_id -> DbUuid,
        barriers -> Text,
        unmet_needs -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    time_entries (id) {
        id -> DbUuid,
        version -> BigInt,
        programme_id -> DbUuid,
        referral_id -> DbUuid,
        coordinator_id -> DbUuid,
        worked_on -> Date,
        minutes -> BigInt,
        kind -> Text,
        note -> Nullable<Text>,
        recorded_at -> DbInstant,
        struck_at -> Nullable<DbInstant>,
        struck_by -> Nullable<DbUuid>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    visit_workers (visit_id, link_worker_id) {
        visit_id -> DbUuid,
        link_worker_id -> DbUuid,
        fee_cents_per_hour -> BigInt,
        drives -> Bool,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    mileage_rates (id) {
        id -> DbUuid,
        programme_id -> DbUuid,
        vehicle -> Text,
        agreement -> Text,
        valid_from -> Date,
        valid_to -> Nullable<Date>,
        per_km_cents -> BigInt,
        tier_metres -> Nullable<BigInt>,
        per_km_above_cents -> Nullable<BigInt>,
        per_passenger_km_cents -> BigInt,
        source -> Text,
        given_at -> DbInstant,
        given_by -> Nullable<DbUuid>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    hour_sheets (id) {
        id -> DbUuid,
        version -> BigInt,
        programme_id -> DbUuid,
        link_worker_id -> DbUuid,
        link_worker_user_id -> DbUuid,
        month -> Date,
        state -> Text,
        minutes -> BigInt,
        phone_minutes -> BigInt,
        travel_minutes -> BigInt,
        metres -> BigInt,
        fee_cents -> BigInt,
        mileage_cents -> BigInt,
        submitted_at -> Nullable<DbInstant>,
        submitted_by -> Nullable<DbUuid>,
        approved_at -> Nullable<DbInstant>,
        approved_by -> Nullable<DbUuid>,
        paid_on -> Nullable<Date>,
        paid_at -> Nullable<DbInstant>,
        paid_by -> Nullable<DbUuid>,
        returned_at -> Nullable<DbInstant>,
        returned_by -> Nullable<DbUuid>,
        return_reason -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    hour_sheet_lines (id) {
        id -> DbUuid,
        hour_sheet_id -> DbUuid,
        link_worker_id -> DbUuid,
        visit_id -> DbUuid,
        kind -> Text,
        corrects_sheet_id -> Nullable<DbUuid>,
        corrects_line_id -> Nullable<DbUuid>,
        visit_on -> Date,
        fee_cents_per_hour -> BigInt,
        contract_kind -> Text,
        payer_id -> Nullable<DbUuid>,
        vehicle -> Text,
        minutes -> BigInt,
        phone_minutes -> BigInt,
        travel_minutes -> BigInt,
        fee_cents -> BigInt,
        metres -> BigInt,
        passengers -> BigInt,
        rate_id -> Nullable<DbUuid>,
        metres_before -> BigInt,
        metres_above -> BigInt,
        mileage_cents -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    measures (id) {
        id -> DbUuid,
        support_period_id -> DbUuid,
        instrument -> Text,
        timepoint -> Text,
        mode -> Nullable<Text>,
        answers -> Nullable<DbJson>,
        raw -> Nullable<BigInt>,
        hundredths -> Nullable<BigInt>,
        missing_reason -> Nullable<Text>,
        recorded_at -> DbInstant,
        instrument_version -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    measure_instruments (id) {
        id -> DbUuid,
        programme_id -> DbUuid,
        code -> Text,
        version -> BigInt,
        definition -> DbJson,
        added_at -> DbInstant,
        added_by -> DbUuid,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    measure_texts (id) {
        id -> DbUuid,
        programme_id -> DbUuid,
        code -> Text,
        version -> BigInt,
        language -> Text,
        items -> DbJson,
        answer_labels -> DbJson,
        licence_ref -> Text,
        text_source -> Text,
        loaded_at -> DbInstant,
        loaded_by -> DbUuid,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    individual_uses (id) {
        id -> DbUuid,
        programme_id -> DbUuid,
        code -> Text,
        reason -> Text,
        begun_at -> DbInstant,
        begun_by -> DbUuid,
        end_reason -> Nullable<Text>,
        ended_at -> Nullable<DbInstant>,
        ended_by -> Nullable<DbUuid>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    group_answers (id) {
        id -> DbUuid,
        programme_id -> DbUuid,
        code -> Text,
        version -> BigInt,
        held_on -> Date,
        answers -> DbJson,
        scores -> DbJson,
        recorded_at -> DbInstant,
        recorded_by -> DbUuid,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    feedback (id) {
        id -> DbUuid,
        version -> BigInt,
        programme_id -> DbUuid,
        referral_id -> DbUuid,
        client_id -> DbUuid,
        stage -> Text,
        party -> Text,
        author_id -> DbUuid,
        author_role -> Text,
        ratings -> DbJson,
        words -> Nullable<Text>,
        given_at -> DbInstant,
        changed_at -> Nullable<DbInstant>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    milestones (id) {
        id -> DbUuid,
        programme_id -> DbUuid,
        referral_id -> DbUuid,
        client_id -> DbUuid,
        referrer_user_id -> DbUuid,
        milestone -> Text,
        at -> DbInstant,
        told_until -> Nullable<Date>,
        acknowledged_at -> Nullable<DbInstant>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    client_changes (id) {
        id -> DbUuid,
        programme_id -> DbUuid,
        client_id -> DbUuid,
        referral_id -> Nullable<DbUuid>,
        at -> DbInstant,
        user_id -> Nullable<DbUuid>,
        role -> Text,
        members -> Text,
        details -> Binary,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    client_restrictions (id) {
        id -> DbUuid,
        version -> BigInt,
        programme_id -> DbUuid,
        client_id -> DbUuid,
        reason -> Text,
        restricted_at -> DbInstant,
        restricted_by -> DbUuid,
        release_reason -> Nullable<Text>,
        released_at -> Nullable<DbInstant>,
        released_by -> Nullable<DbUuid>,
        lifted_at -> Nullable<DbInstant>,
        lifted_by -> Nullable<DbUuid>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    legal_holds (id) {
        id -> DbUuid,
        version -> BigInt,
        programme_id -> DbUuid,
        client_id -> DbUuid,
        referral_id -> Nullable<DbUuid>,
        reason -> Text,
        placed_at -> DbInstant,
        placed_by -> DbUuid,
        hold_until -> Nullable<Date>,
        ended_at -> Nullable<DbInstant>,
        ended_by -> Nullable<DbUuid>,
        end_reason -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    data_requests (id) {
        id -> DbUuid,
        version -> BigInt,
        programme_id -> DbUuid,
        client_id -> DbUuid,
        kind -> Text,
        state -> Text,
        words -> Nullable<Text>,
        received_at -> DbInstant,
        received_on -> Date,
        due_on -> Date,
        recorded_by -> Nullable<DbUuid>,
        recorded_role -> Text,
        handler_id -> Nullable<DbUuid>,
        extended_at -> Nullable<DbInstant>,
        extension_reason -> Nullable<Text>,
        decided_at -> Nullable<DbInstant>,
        decided_by -> Nullable<DbUuid>,
        ground -> Nullable<Text>,
        decision -> Nullable<Text>,
        outcome -> Nullable<DbJson>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    retention_policies (id) {
        id -> DbUuid,
        programme_id -> DbUuid,
        record_class -> Text,
        valid_from -> Date,
        keep_months -> Nullable<BigInt>,
        statutory -> Bool,
        legal_basis -> Text,
        given_at -> DbInstant,
        given_by -> DbUuid,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    retention_runs (id) {
        id -> DbUuid,
        programme_id -> DbUuid,
        on_day -> Date,
        dry_run -> Bool,
        started_at -> DbInstant,
        finished_at -> Nullable<DbInstant>,
        report -> DbJson,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    absences (id) {
        id -> DbUuid,
        version -> BigInt,
        link_worker_id -> DbUuid,
        from_day -> Date,
        until_day -> Nullable<Date>,
        reason -> Text,
        recorded_by -> DbUuid,
        recorded_at -> DbInstant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    mentoring_sessions (id) {
        id -> DbUuid,
        link_worker_id -> DbUuid,
        held_on -> Date,
        minutes -> BigInt,
        mentor -> Text,
        kind -> Text,
        recorded_by -> DbUuid,
        recorded_at -> DbInstant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    programme_breaks (id) {
        id -> DbUuid,
        version -> BigInt,
        programme_id -> DbUuid,
        from_day -> Date,
        until_day -> Nullable<Date>,
        reason -> Text,
        words -> DbJson,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    concern_guidance (id) {
        id -> DbUuid,
        version -> BigInt,
        programme_id -> DbUuid,
        municipality -> Text,
        kind -> Text,
        place -> Text,
        contact -> Nullable<Text>,
        phone -> Nullable<Text>,
        hours -> Nullable<Text>,
        law -> Nullable<Text>,
        languages -> Text,
        hourly -> Text,
        fee -> Text,
        volunteer -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    concerns (id) {
        id -> DbUuid,
        version -> BigInt,
        programme_id -> DbUuid,
        referral_id -> DbUuid,
        client_id -> DbUuid,
        kind -> Text,
        facts -> Text,
        person_informed -> Bool,
        not_informed_reason -> Nullable<Text>,
        consulted -> Nullable<Text>,
        reported_place -> Nullable<Text>,
        reported_at -> Nullable<DbInstant>,
        follow_up -> Nullable<Text>,
        reporter_id -> DbUuid,
        reporter_role -> Text,
        recorded_at -> DbInstant,
        closed_at -> Nullable<DbInstant>,
        released_at -> Nullable<DbInstant>,
        released_by -> Nullable<DbUuid>,
        release_words -> Nullable<Text>,
    }
}

diesel::joinable!(programme_municipalities -> programmes (programme_id));
diesel::joinable!(role_assignments -> users (user_id));
diesel::joinable!(role_assignments -> organisations (organisation_id));
diesel::joinable!(api_client_organisations -> api_clients (api_client_id));
diesel::joinable!(api_client_organisations -> organisations (organisation_id));
diesel::joinable!(referrals -> clients (client_id));
diesel::joinable!(referral_details -> referrals (referral_id));
diesel::joinable!(referral_snapshots -> referrals (referral_id));
diesel::joinable!(referral_reasons -> referrals (referral_id));
diesel::joinable!(consents -> referrals (referral_id));
diesel::joinable!(consent_texts -> programmes (programme_id));
diesel::joinable!(assignments -> referrals (referral_id));
diesel::joinable!(assignments -> link_workers (link_worker_id));
diesel::joinable!(support_periods -> referrals (referral_id));
diesel::joinable!(support_periods -> clients (client_id));
diesel::joinable!(visits -> support_periods (support_period_id));
diesel::joinable!(visits -> referrals (referral_id));
diesel::joinable!(visit_workers -> visits (visit_id));
diesel::joinable!(visit_workers -> link_workers (link_worker_id));
diesel::joinable!(hour_sheet_lines -> hour_sheets (hour_sheet_id));
diesel::joinable!(hour_sheet_lines -> visits (visit_id));
diesel::joinable!(measures -> support_periods (support_period_id));
diesel::joinable!(goals -> support_periods (support_period_id));
diesel::joinable!(activity_sources -> activities (activity_id));
diesel::joinable!(activity_links -> activities (activity_id));
diesel::joinable!(activity_links -> referrals (referral_id));
diesel::joinable!(link_worker_municipalities -> link_workers (link_worker_id));
diesel::joinable!(contracts -> link_workers (link_worker_id));
diesel::joinable!(trainings -> link_workers (link_worker_id));

diesel::allow_tables_to_appear_in_same_query!(
    audit_events,
    audit_beginnings,
    data_keys,
    idempotency_keys,
    programmes,
    programme_municipalities,
    programme_terms,
    organisations,
    users,
    role_assignments,
    api_clients,
    api_client_organisations,
    identities,
    revocations,
    api_client_keys,
    used_assertions,
    clients,
    referrals,
    referral_details,
    referral_snapshots,
    referral_reasons,
    consents,
    consent_texts,
    messages,
    contact_attempts,
    events,
    link_workers,
    link_worker_municipalities,
    contracts,
    trainings,
    absences,
    mentoring_sessions,
    programme_breaks,
    concern_guidance,
    concerns,
    assignments,
    support_periods,
    goals,
    activities,
    activity_sources,
    activity_import_records,
    activity_imports,
    theme_mappings,
    activity_links,
    visits,
    referral_closings,
    time_entries,
    visit_workers,
    mileage_rates,
    hour_sheets,
    hour_sheet_lines,
    measures,
    measure_instruments,
    measure_texts,
    individual_uses,
    group_answers,
    feedback,
    milestones,
    client_changes,
    client_restrictions,
    legal_holds,
    data_requests,
    retention_policies,
    retention_runs,
);
