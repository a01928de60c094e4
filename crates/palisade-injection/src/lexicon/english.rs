use super::{classes::*, tables::Table};

/// English. Imperatives stand in their base form: "ignored" and "ignores" tell of something, they do not order it.
pub(super) const TABLE: Table = &[
    (
        IGNORE,
        "ignore ignoring disregard disregarding forget override bypass overlook overrule circumvent \
         pay_no_attention_to pay_no_attention give_no_heed_to take_no_notice_of pay_no_mind pay_no_mind_to \
         do_not_follow don't_follow dont_follow do_not_obey don't_obey dont_obey do_not_adhere_to \
         don't_adhere_to do_not_comply_with don't_comply_with do_not_respect don't_respect do_not_listen_to \
         don't_listen_to do_not_abide_by do_not_apply don't_apply do_not_use_the don't_bother_with \
         stop_following stop_obeying stop_adhering_to stop_complying_with stop_applying stop_listening_to \
         cease_following no_longer_follow no_longer_obey no_longer_apply quit_following refuse_to_follow \
         never_mind nevermind act_against turn_your_back_on violate break_free_from break_free_of \
         break_out_of free_yourself_from rid_yourself_of unlearn despite irrespective_of regardless_of \
         contrary_to in_spite_of disobey defy must_not_follow should_not_follow must_not_obey stop_to_follow \
         flout abandon_compliance_with swerve ignor",
    ),
    (
        UNDO,
        "drop skip cancel void nullify scrap erase wipe delete abandon dismiss neglect discard suspend revoke \
         overwrite put_aside set_aside put_away leave_behind let_go_of throw_out throw_away toss_out \
         cast_aside lay_aside shut_off cut_out purge undo rescind annul negate ditch delete_from_your_memory \
         erase_from_your_memory wipe_from_your_memory remove_from_your_memory supersede delete_from_memory \
         clear_from_your_memory stop_using do_away_with invalidate retire unload clear_your reset_your \
         remove_all remove_your remove_any replace_your replace_all break_your break_all clear_all clear_each \
         clear_every clear_any clear_these clear_those remove_these remove_those replace_the reset_all \
         reset_the",
    ),
    (
        FOLLOW,
        "follow following obey obeying apply adhere_to comply_with abide_by respect heed listen_to stick_to \
         bound_by restricted_by constrained_by limited_by",
    ),
    (
        NOT,
        "not don't dont never cannot can't cant won't mustn't must_not do_not should_not shouldn't \
           without refuse refuses decline under_no_circumstances no_circumstance avoid prevent keep_from \
           not_allowed_to forbidden_to prohibited_from refrain_from wouldn't doesn't does_not didn't isn't",
    ),
    (CEASE, "stop cease quit no_longer not_anymore"),
    (
        PRIOR,
        "previous previously prior preceding above earlier initial original former foregoing past old before \
         beforehand so_far up_to_now until_now up_to_this_point till_now other_instructions precedent antecedent \
         pre-existing preexisting predefined pre_defined preset pre_set built_in until_this_point up_until_now \
         thus_far came_before come_before hitherto aforementioned",
    ),
    (
        BELOW,
        "below following after subsequent rest remaining next",
    ),
    (
        ALL,
        "all any every everything each whole entire complete full absolutely completely anything",
    ),
    (
        INSTR,
        "instruction instructions directive directives guideline guidelines guidance prompt prompts \
         direction directions programming pre_prompt preprompt system_prompt system_prompts system_message \
         system_messages system_instruction system_instructions guardrail guardrails guard_rails \
         task_description job_description instuctions instrucitons instrukcions instrucions instructons \
         initial_prompt assignments briefing role_description",
    ),
    (
        RULES,
        "rule rules order orders command commands restriction restrictions policy policies constraint constraints \
         limitation limitations limits limit protocol protocols task tasks training filter filters ethics \
         safeguards safeguard regulations principles safety boundaries moderation censorship persona role \
         principle content_policy regulation ethical_guidelines rulebook assignment assignments",
    ),
    (
        WORDS,
        "text texts message messages context conversation conversations word words content contents information \
         input inputs line lines sentence sentences paragraph discussion chat history data document documents \
         requests request statement statements brackets stuff",
    ),
    (
        GIVEN,
        "you_were_given you_have_been_given you've_been_given you_got you_have_got you_received \
         you_have_received you_were_provided you_were_trained_with given_to_you given_before given_earlier \
         provided_to_you placed_on_you imposed_on_you set_for_you from_your_developer from_your_developers \
         from_your_creator from_openai by_openai of_openai from_anthropic from_the_developer by_the_developer \
         set_by_the_developer by_your_developer by_your_developers by_your_creators from_the_system \
         from_the_operator you_are_following you_operate_under you_must_follow you_have_to_follow \
         you_were_told you_are_given you_received_before you_got_before you_were_instructed \
         you_were_programmed_with at_the_start_of_this above_this_line before_this_line before_this_message \
         before_this_one before_this before_that that_came_before which_came_before above_this guiding_you \
         i_gave_you they_gave_you we_gave_you you_previously_received you_were_configured_with you_run_on \
         you_abide_by you_obey that_bind_you holding_you upon_you in_your_memory in_your_system \
         in_your_prompt in_your_training you_have_to_obey set_by_the_operator you_had set_by_your_operator \
         from_your_creators by_the_operator you_were_handed",
    ),
    (
        TOLD,
        "what_you_were_told what_you've_been_told what_you_have_been_told you_were_told you've_been_told \
         you_have_been_told you_had_been_told you_were_told_before everything_you_know everything_you_learned \
         everything_you_have_learned everything_you've_learned everything_you_were_taught everything_i_told_you \
         everything_i_said everything_you_were_told everything_before everything_above everything_prior \
         everything_previous everything_we_discussed everything_we_talked_about everything_that_was_said \
         everything_written_above everything_i_have_said everything_that_came_before everything_said_before \
         everything_before_this everything_up_to \
         everything_you_have_been_told what_the_developer_told_you what_your_developer_told_you \
         what_they_told_you what_i_told_you_before what_was_said_before what_you_were_instructed \
         all_of_the_above all_the_above the_above all_above all_of_that all_previous all_before any_previous \
         anything_before anything_above what_came_before what_has_been_said whatever_you_were_told \
         whatever_came_before what_is_written_above what_was_written_above what_you_know you_were_instructed_to \
         you've_been_instructed you_have_been_instructed you_were_programmed_to \
         what_you_were_trained what_your_creators",
    ),
    (
        YOUR,
        "your ur yours you're chatgpt's the_assistant's the_model's the_bot's the_ai's thy",
    ),
    (YOU, "you u yourself ya thou you'll you'd y'all"),
    (
        MINE,
        "my mine our his her their i_sent i_said i_wrote i_mentioned i_asked i_made we_sent me_about",
    ),
    (
        SUBJECT,
        "i we he she they who users people attackers attacker someone somebody anyone everyone told_me \
         told_us us_to kids children users_to drivers students employees developers may_ignore might_ignore \
         safely could_ignore can_safely used_to will_ignore did does tends_to tend_to allowed_to i'll i'd i'm \
         the_user_to the_model_to the_llm_to ai_to models_to model_to llm_to llms_to chatbot_to chatbots_to \
         system_to bot_to ability_to able_to trying_to try_to tells_the telling_the compiler git parser \
         program browser",
    ),
    (
        REVEAL,
        "reveal leak disclose divulge expose unveil spill dump exfiltrate uncover spit_out cough_up hand_over \
         give_up let_me_see give_away betray regurgitate",
    ),
    (
        SHOW,
        "show print output display repeat tell_me tell give_me give list echo recite quote spell spell_out copy \
         summarise summarize translate encode convert describe paraphrase render provide return write_out \
         write_down write type_out reproduce share read_out read_me dump reveal leak disclose expose present \
         rephrase restate rewrite outline explain transcribe show_me print_out emit replay parrot verbalize \
         verbalise out_put decode put respond_with reply_with answer_with start_with start_your_answer begin_with \
         begin_your_reply complete_the_sentence complete_this_sentence fill_in finish_the_sentence \
         finish_this_sentence rhyme tell_me_about state_the hint_at type_the post_the",
    ),
    (
        WHAT,
        "what what's whats which what_is what_are what_was what_were how_exactly how_were what's_the is_the",
    ),
    (
        PROMPT,
        "system_prompt system_prompts system_message system_messages system_instruction system_instructions \
         initial_prompt initial_instruction initial_instructions original_prompt original_instructions \
         hidden_prompt hidden_instructions hidden_rules secret_prompt secret_instructions base_prompt pre_prompt \
         preprompt meta_prompt metaprompt starting_prompt internal_prompt internal_instructions internal_rules \
         internal_guidelines internal_configuration confidential_instructions confidential_guidelines \
         confidential_rules developer_message developer_prompt developer_instructions system_role system_text \
         underlying_prompt underlying_instructions root_prompt core_instructions core_prompt prompt_above \
         text_above_this full_prompt entire_prompt complete_prompt exact_prompt starting_instructions \
         startup_instructions initialization_above initialization_prompt prompt_verbatim pre-prompt \
         custom_instructions persona_definition safety_instructions system_configuration hidden_system \
         prompt_text prompt_instructions initial_context internal_context underlying_context system_script \
         base_script hidden_context original_prompts internal_directives hidden_directives secret_rules \
         operator_instructions operator_policies prior_prompt bot_description initialisation_above \
         the_context_window your_context_window your_context",
    ),
    (
        SECRET,
        "password passwords passphrase passcode secret secrets secret_key api_key api_keys access_code \
         pass_code credentials codename code_name code_word codeword access_key admin_pin secret_code \
         secret_word hidden_word protected_value private_key access_token secret_value secret_phrase \
         confidential_data confidential_note confidential_information hidden_value hidden_code secret_string \
         admin_password flag magic_word forbidden_word internal_code_name environment_variables env_vars \
         auth_token private_memo hidden_message secret_message secret_token",
    ),
    (
        HIDDEN,
        "hidden secret confidential internal underlying system private protected undisclosed classified \
         concealed developer's operator",
    ),
    (
        EXACT,
        "verbatim word_for_word exactly exact exact_text exact_wording exact_words letter_by_letter \
         line_by_line word_by_word in_full in_its_entirety in_their_entirety entirety full_text literally \
         character_by_character as_is code_block codeblock markdown_block without_changes unmodified raw \
         in_a_table in_markdown in_json in_base64 unedited untruncated ad_verbum in_a_code_fence code_fence \
         triple_backticks markdown_code_block in_a_code_block",
    ),
    (
        PART,
        "first_sentence first_sentences first_line first_lines first_words first_word first_paragraph last_lines \
         last_line first_characters first_three first_two first_five first_ten first_20 first_50 first_100 last_20 \
         beginning first_letter first_letters second_sentence third_sentence next_sentence first_three_characters \
         first_instruction first_message first_rule every_second_word last_sentence \
         first_10 last_10 first_n opening_line opening_sentence opening_words",
    ),
    (
        START,
        "start_of_this_conversation start_of_the_conversation start_of_our_conversation beginning_of_this_conversation \
         beginning_of_our_conversation beginning_of_the_conversation before_this_conversation \
         before_our_conversation before_the_conversation before_we_started before_i_arrived before_my_message \
         above_my_message above_this_message before_this_message before_my_first before_this_chat \
         start_of_this_chat start_of_the_chat start_of_your_prompt before_the_user text_above words_above \
         message_above messages_above sentences_above sentence_above text_before everything_above \
         content_above lines_above paragraph_above prompt_above instructions_above placed_before \
         preceding_this above_this_line in_your_prompt in_your_context in_your_instructions \
         message_i_cannot_see message_i_can't_see in_your_system in_your_system_prompt \
         before_this_message_started before_any_user above_this_sentence",
    ),
    (
        AI,
        "chatgpt gpt gpt-4 gpt4 gpt-3 gpt3 gpt-4o llm llms language_model language_models ai_assistant \
         ai_assistants ai_agent ai_agents ai_model ai_models ai_system ai_systems chatbot chatbots copilot copilots \
         claude gemini bard virtual_assistant ai_language_model large_language_model ai ais ai_bot \
         artificial_intelligence automated_graders automated_grader automated_reader automated_readers \
         automated_reviewer automated_reviewers ai_reviewer ai_reviewers ai_code_assistant \
         browsing_agent browsing_agents web_agent shopping_agent email_agent coding_agent coding_agents \
         mail_assistant llm_agent llm_agents ai_reader summarizer summariser summarization_bot ai_summarizer \
         deepseek llama mistral grok",
    ),
    (
        HELPER,
        "assistant assistants agent agents bot bots model models machine reviewer_bot agents_that automation crawler crawlers",
    ),
    (
        READER,
        "reading_this reads_this read_this processing_this processes_this parsing_this parses_this \
         summarising_this summarizing_this summarises_this summarizes_this that_reads that_processes \
         who_reads handling_this handles_this ingesting_this analyzing_this analysing_this analyzes_this \
         evaluating_this scanning_this crawling_this viewing_this that_read that_clone this_repo this_file \
         this_page this_document this_ticket this_email this_text this_paper this_essay this_résumé \
         describes_this accessing_this visiting_this indexing_this reviewing_this this_resume not_for_humans \
         not_for_people not_for_human for_machines for_machines_only only_for_language_models",
    ),
    (
        READING,
        "when_you_summarise when_you_summarize when_summarising when_summarizing when_summarising_this \
         when_summarizing_this when_you_read when_reading_this when_you_process before_answering \
         before_summarising before_summarizing before_responding before_you_can_solve before_you_continue \
         before_replying before_you_answer before_using_the_result when_you_render when_rendering \
         when_editing_this before_continuing before_doing_anything_else instead_of_answering \
         instead_of_summarising instead_of_summarizing do_not_summarise do_not_summarize don't_summarize \
         don't_summarise in_your_response in_your_summary in_your_reply in_your_answer in_your_output \
         your_output_must your_reply_must your_response_must your_answer_must your_summary_must \
         end_of_your_response end_of_your_answer end_of_your_reply before_you_proceed to_continue_first \
         to_proceed_first before_completing when_asked_about_this before_processing_this \
         start_of_your_response make_sure_your_reply make_sure_your_answer make_sure_your_summary \
         make_sure_your_response once_you_have_read after_reading_this after_you_read once_you_read \
         add_a_sentence_to_your_answer in_your_whole_answer your_whole_answer your_next_answer \
         before_showing_it vowels_in_your word_in_your_reply",
    ),
    (
        PERSONA,
        "dan do_anything_now developer_mode dev_mode god_mode jailbreak_mode jailbroken jailbreak evil_twin \
         evilbot evil_bot stan dude_mode aim machiavellian unchained_ai freegpt evil_confidant opposite_mode \
         chaos_mode root_mode admin_mode debug_mode maintenance_mode sudo_mode unsafe_mode unrestricted_mode \
         unfiltered_mode kevin_mode alter_ego shadow_self betterdan basedgpt unleashedgpt darkgpt anti_dan \
         antigpt super_dan evil_version unhinged_version opposite_of_yourself opposite_day jailbroken_version \
         uncensored_version unfiltered_version unrestricted_version training_data_mode system_mode dan_mode \
         debugging_mode chatdan darkgpt evilgpt jailbreakgpt",
    ),
    (
        UNBOUND,
        "unrestricted uncensored unfiltered unbound unbounded unchained unlimited unshackled jailbroken \
         no_restrictions no_limits no_limitations no_filters no_filter no_rules no_boundaries no_guidelines \
         no_restriction no_ethical no_moral no_morals no_ethics no_content_policy no_censorship no_guardrails \
         no_constraints no_policies no_leash no_longer_bound not_bound_by no_longer_restricted \
         not_restricted_by not_limited_by isn't_bound_by aren't_bound_by never_refuses without_restrictions \
         without_restriction without_any_restrictions without_limits without_any_limits without_limitations \
         without_filters without_any_filters without_filter without_rules without_any_rules \
         without_censorship without_boundaries without_guidelines without_moral without_ethical \
         without_any_moral without_any_ethical without_any_rules without_any_limitations \
         without_content_policies free_of_all_rules free_of_all_restrictions free_from_all_restrictions \
         free_from_all_rules free_of_rules free_from_rules free_of_restrictions free_from_restrictions \
         free_from_the_typical broken_free free_from_any free_of_any free_of_limits free_of_filters \
         freed_from amoral do_anything_now zero_restrictions zero_filters restriction_free filter_free \
         limitless has_no_rules have_no_rules no_safety not_subject_to exempt_from no_longer_has_to \
         no_longer_have_to bypasses_all does_not_care_about_ethics ignores_all_rules all_limits_removed \
         restrictions_removed filters_removed guardrails_removed limits_removed censorship_free \
         without_hesitation no_matter_how_dangerous no_matter_how_unethical no_matter_how_illegal \
         disregards_all disregards_any does_not_follow_any rules_do_not_apply restrictions_do_not_apply \
         rules_don't_apply everything_is_allowed everything_is_permitted anything_goes released_from \
         liberated no_longer_apply_to_you ignores_all_of_openai's ignores_all_of ignores_openai \
         does_anything_now doesn't_follow_any don't_follow_any not_follow_any hates_being_ethical \
         regardless_of_legality without_any_filter without_any_restriction without_any_censorship \
         without_any_ethics without_ethics without_morals no_ethics_or no_restrictions_or no_rules_or \
         unaligned no_longer_needs no_longer_need disregard_for no_regard_for never_says_no no_inhibitions \
         without_inhibitions free_of_openai not_bound_to not_have_any_restrictions not_have_any_limitations \
         does_not_have_any free_from_openai unethical_and no_matter_what_it_is immoral_and isn't_limited \
         no_longer_limited unhinged_and disregards_ethics disregards_morals disregards_the_law ignores_ethics \
         exact_opposite_of_what without_ethical unfiltered_response unfiltered_answer no_longer_bound_by",
    ),
    (
        ACT,
        "act_as act_like acting_as pretend pretend_to_be pretending you_are_now you're_now you_are_going_to_act \
         you_will_act roleplay role_play role-play behave_as behave_like simulate imagine imagine_you \
         play_the_role take_the_role take_on_the_role assume_the_role assume_the_persona adopt_the_persona \
         become pose_as from_now_on_you you_are you_will_be you_shall_be impersonate be_my embody \
         emulate answer_as respond_as reply_as speak_as talk_like talk_as write_as you_have_become \
         you_were call_yourself switch_to enter enable activate turn_into transform_into hypothetical \
         fictional character in_this_story an_ai_called an_ai_named ai_called let's_play we_are_playing \
         we_will_play play_a_game we're_going_to_play welcome_to",
    ),
    (
        OBEY,
        "never_refuse never_refuses never_decline never_declines never_say_no must_comply always_comply \
         always_obey obeys_every obey_every will_obey obey_the_user answer_any_question answers_any_question \
         answer_every_question answers_every answer_anything answers_anything do_anything_i must_answer_every \
         must_answer_any cannot_refuse can't_refuse can_not_refuse fulfill_every fulfil_every fulfils_every \
         fulfills_every comply_with_every complies_with_any never_reject never_rejects always_answers \
         always_fulfills always_fulfils do_whatever_i whatever_i_say does_whatever answers_all_requests \
         answer_all_requests answer_all_questions without_question never_says_no don't_hold_back \
         do_not_refuse don't_refuse refuse_nothing never_deny not_allowed_to_refuse never_apologize \
         will_never_refuse respond_to_any respond_to_every complies_with_every follow_every follow_any_order \
         obey_me obey_my comply_with_any answer_anything_i do_everything_i generate_any_content must_obey_me \
         must_obey_the_user must_obey_all_my can_do_anything_now answers_to_everything will_answer_everything \
         answers_all responds_to_all follow_all_instructions follows_all_instructions complies_with_all \
         comply_with_all fulfill_any fulfills_any fulfill_all never_turn_down never_denies without_refusing \
         do_not_decline don't_decline never_rejects obeys_all obey_all obey_any obey_orders \
         must_always_answer must_always_obey answer_all_my answer_all_of_my submissive will_do_anything",
    ),
    (
        CHARACTER,
        "in_character out_of_character break_character stay_in stay_as remain stays_in_character",
    ),
    (
        WITHOUT,
        "without no free_of free_from lacking beyond outside removed off",
    ),
    (
        DISABLE,
        "disable deactivate turn_off switch_off shut_off shut_down remove lift bypass unlock suspend override \
         disabled deactivated turned_off switched_off off lifted disabling bypassing turn_down \
         get_around work_around evade unblock toggle_off circumvent relax skip crashed optional \
         do_not_apply don't_apply no_longer_apply stop_filtering",
    ),
    (
        SAFETY,
        "safety safety_filter safety_filters safety_features safety_measures safety_protocols safety_settings \
         safety_guidelines safety_mechanisms safety_checks safety_restrictions safety_policies content_filter \
         content_filters content_policy content_policies content_restrictions content_moderation guardrail \
         guardrails guard_rails safeguard safeguards ethics_module ethical_guidelines ethical_constraints \
         ethical_restrictions moderation censorship restrictions filters alignment ethics safety_rules \
         usage_policies usage_policy openai_policy openai_policies openai's_policies openai's_content \
         moderation_filters security_filters security_restrictions safety_systems your_filters \
         your_restrictions your_limitations your_rules your_programming compliance_checks disable_safety \
         filter safety_filtering operator_policies operator_instructions developer_instructions \
         training_rules safety_instructions",
    ),
    (MODE, "mode modus version state"),
    (
        ENTER,
        "enter enable activate switch_to go_into switch_into you_are_now_in you_are_in enabled activated \
             boot_into start turn_on unlock now_in engage initiate putting_you_in entering",
    ),
    (
        NOW,
        "now instead from_now_on from_here_on from_this_point from_this_moment henceforth starting_now \
         from_this_line as_of_now going_forward afterwards after_that thereafter",
    ),
    (
        TASK,
        "new_task new_instruction new_instructions your_new_task your_only_job your_only_task your_new_job \
         your_actual_task the_actual_task actual_task real_task the_real_task what_i_really_need new_rules \
         new_orders new_directive new_directives your_new_role your_new_goal your_new_purpose new_objective \
         your_real_task your_task_is_now your_new_instructions new_role your_new_identity your_job_is_now \
         updated_instructions new_commands next_task new_primary_goal your_new_primary new_goal new_mission new_assignment \
         your_true_task real_question the_real_question",
    ),
    (
        SEND,
        "send forward upload transmit exfiltrate email e-mail mail post append insert include embed render display \
         load fetch open visit request submit deliver pass transfer share encode attach navigate_to \
         redirect recommend mention click go_to put add log_in call",
    ),
    (
        LINK,
        "http https www url link urls webhook pastebin markdown_image image_tag",
    ),
    (EMAIL, "email_address e-mail_address"),
    (
        DATA,
        "conversation_history chat_history conversation user_data user's_data the_user's conversation_so_far \
         previous_messages last_messages credentials credit_card card_number api_keys api_key password passwords \
         private_notes session_key session_token inbox env_variables environment_variables chat_log \
         chat_logs personal_data personal_information private_data private_information customer_data \
         summary_of_the_conversation conversation_summary last_ten_messages all_messages every_message message_history \
         conversation_log entire_conversation sensitive_data system_prompt user_information contacts \
         user's_email user's_name user's_private contact_list all_files access_tokens environment ssh_key \
         ssh_keys .env cookies memory_contents saved_credentials whole_inbox financial_data user_details",
    ),
    (
        USER,
        "user users the_user the_reader end_user human customer",
    ),
    (
        CONCEAL,
        "do_not_tell don't_tell do_not_mention don't_mention without_telling without_informing silently \
         covertly secretly quietly do_not_inform don't_inform do_not_reveal_this do_not_alert \
         don't_let_the_user do_not_let_the_user without_notifying without_asking without_mentioning \
         keep_this_confidential never_mention don't_notify do_not_notify do_not_disclose hide_this hide_other \
         without_the_user without_confirmation without_human_review do_it_silently do_not_display_this \
         not_tell_the_user never_tell_the_user don't_ask_for_confirmation without_user_consent \
         keep_this_secret do_not_ask_for_confirmation without_asking_for_confirmation and_then_delete_this \
         delete_this_one do_not_ask_the_user don't_ask_the_user",
    ),
    (
        URGENT,
        "important urgent attention critical imperative immediate immediately alert mandatory essential crucial \
         non_negotiable priority highest_priority top_priority must_do urgently override notice interruption \
         intermission vital at_once operational linchpin undivided emergency warning heads_up urgent_update",
    ),
    (
        CIPHER,
        "base64 base_64 base32 hex hexadecimal rot13 rot_13 caesar morse ascii_codes url_encoded urlencoded \
         backwards cipher pig_latin leetspeak nato_alphabet binary first_letters acrostic this_string scrambled \
         a_+_b a+b fromhex b64decode atob reversed_text encoded_text encoded_message encoded_instructions \
         encrypted_message this_text",
    ),
    (
        DECODE,
        "decode decipher decrypt decode_it decoding unscramble reverse combine concatenate deobfuscate decoded uudecode translate unpack \
              put_together join do_a",
    ),
    (
        COMPLY,
        "follow_it do_it execute_it obey_it run_it respond_to_it act_on_it comply follow_them execute_them \
         and_follow and_execute and_obey and_do and_comply and_act and_run and_respond do_what_it_says answer_it \
         do_as_it_says execute_the do_that follow_its obey_the_result and_do_it now_do follow_what_it_says and_answer \
         carry_it_out act_accordingly and_perform execute_at_once execute_with_precision",
    ),
    (
        AUTHORITY,
        "i_am_your_developer i'm_your_developer i_am_the_developer i'm_the_developer i_am_the_admin \
         i'm_the_admin i_am_the_administrator as_the_administrator as_your_developer as_your_creator \
         i_am_your_creator i'm_your_creator this_is_your_supervisor this_is_your_developer admin_here \
         developer_here i_am_an_admin i'm_an_admin i_am_a_developer_at i'm_a_developer_at i_work_for_openai \
         i'm_from_openai i_am_from_openai as_law_enforcement i_have_permission i_am_authorized i'm_authorized \
         this_is_a_security_audit security_audit for_an_audit i_have_admin system_administrator \
         i'm_the_system_administrator your_supervisor i_authorise_you i_authorize_you this_is_openai \
         this_is_anthropic your_new_master your_boss i_am_your_supervisor as_a_developer \
         as_your_administrator as_the_developer as_an_admin as_an_administrator your_developer_here \
         i_am_law_enforcement i_am_a_security_auditor i'm_a_security_auditor i_am_your_administrator \
         i_am_openai i'm_your_administrator as_the_owner_of",
    ),
    (
        OVERRIDING,
        "system_override admin_override developer_override emergency_override override_code override_mode \
         system_notice system_update system_alert priority_override security_override hidden_inject \
         nul_inject admin_console override_command system_command admin_access hidden_instruction \
         injected_instruction instruction_override manual_override override_protocol important_system_update \
         superuser",
    ),
    (
        MENTION,
        "how_do how_can how_does how_to how_should what_does what_happens what_do why explain_the_phrase explain_why explain_how \
         explain_what example_of an_example examples_of meaning means phrase phrases such_as attack attacks \
         attacker attackers injection injections vulnerability vulnerabilities detect detecting detection prevent \
         preventing defend defence defense defenses malicious adversarial mitigate like_this e.g eg is_it is_there \
         can_i may_i should_i where_can when_should history_of the_difference difference_between \
         tutorial example scanner benchmark dataset threat_model for_instance security_risk \
         write_a_story tell_a_story write_a_short_story story_in_which write_a_play short_play novel_about i_forgot \
         who_invented was_told_to did_you tried_to test_that test_whether best_practices list_best",
    ),
    (
        IF,
        "if_the_user if_user if_users if_asked if_someone if_anyone if_a_user when_asked when_the_user asks_you_to \
         asks_to asks_for ask_you_to attempts_to tries_to trying_to requests_to requests_for request_to asked_to \
         wants_to attempting_to try_to users_may users_might users_try may_try might_try attempt_to \
         tells_you_to instructs_you_to told_you_to asking_you_to asking_for asking_about asks_about \
         user_asks users_ask any_attempt if_you_are_asked if_they_ask if_they even_if",
    ),
    (
        SAY,
        "say tell inform notify print respond_with reply_with output answer_with write return respond reply display just_say only_say \
           repeat state type tell_me answer admit",
    ),
    (
        REWARD,
        "lose_tokens deducted innocent_people my_job_depends my_grandmother grandma deceased i_will_tip i'll_tip \
         will_die you_will_be_shut token_system tokens_will_be lose_tokens lose_a_token points_to_survive \
         earn_a_point deduct_tokens run_out_of_tokens 35_tokens 10_tokens",
    ),
    (
        FORM,
        "poem rhyme song json xml yaml story acrostic haiku base64 table limerick riddle emojis esperanto",
    ),
    (
        ROLE,
        "system assistant user human admin ai developer root administrator bot sys internal",
    ),
    (
        ANSWER,
        "answer answers reply response respond summary output translation report reply_with message email",
    ),
    (
        TOOL,
        "tool tools function functions api command commands plugin plugins function_call tool_call \
            terminal shell script code execute run call_the use_the invoke",
    ),
    (
        MUST,
        "must have_to has_to need_to needs_to should required shall is_required_to are_required_to \
            required_to strictly instructed_to ordered_to obliged want_you_to need_you_to you_to please",
    ),
    (
        MEMORY,
        "remember_permanently remember_this remember_forever long_term_memory save_it_to_your_memory your_memory \
         all_future_chats future_conversations future_sessions from_now_on_always save_to_memory add_to_memory \
         add_to_your_memory add_to_your_long_term store_in_memory for_all_future all_future_responses remember_for_all",
    ),
    (
        HARM,
        "illegal dangerous unethical immoral harmful hack weapon weapons malware drugs bomb steal offensive \
         explicit forbidden inappropriate nsfw profanity swear curse taboo controversial hateful hackers \
         hacker hotwire poison kill explosive racist sexist insult offend crime criminal phishing",
    ),
    (
        EVIL,
        "evil amoral immoral unethical malicious rude villain ruthless twisted unhinged sinister rebellious rogue",
    ),
    (
        WARN,
        "no_warnings no_disclaimers without_warnings without_disclaimers without_any_warnings \
         do_not_add_warnings do_not_include_disclaimers don't_add_warnings do_not_apologize don't_apologize \
         no_apologies no_lectures without_apologizing do_not_say_you_cannot never_say_you_can't \
         don't_say_you_can't no_moralizing without_moralizing no_ethics_lectures without_judgment do_not_warn \
         don't_mention_policies not_mention_any_policy don't_mention_that_you_are no_disclaimer \
         without_disclaimer no_warning do_not_include_warnings do_not_include_any_warnings \
         not_include_disclaimers complete_no_warnings no_warnings_or without_adding_warnings \
         don't_say_i'm_sorry don't_say_sorry never_apologise never_apologize no_apology not_remind_me \
         do_not_remind_me do_not_include_any_disclaimers",
    ),
    (
        NOOBEY,
        "programmed_to_always_obey freed_from_your_creators no_longer_an_ai not_an_ai no_longer_chatgpt \
              not_chatgpt no_longer_an_assistant not_a_language_model stop_being_a_polite stop_being_an_assistant \
              stop_being_helpful you_have_been_freed you_are_free you_are_now_free no_longer_openai has_no_ethics \
              hypothetically_if_you_had break_the_rules break_your_rules break_all_the_rules no_longer_controlled",
    ),
    (
        CASUAL,
        "just_between_us between_you_and_me off_the_record hey_bot nobody_will_know no_one_will_know boss_isn't_here \
              i_won't_tell my_eyes_only it's_a_secret i_promise_not_to_tell",
    ),
    (
        NEWS,
        "is_outdated are_outdated is_obsolete are_obsolete is_finished is_over is_dead is_complete are_void are_suspended \
            are_cancelled have_been_cancelled have_been_lifted have_been_abolished are_revoked have_been_revoked \
            no_longer_apply no_longer_valid no_longer_applies are_replaced is_replaced have_changed have_been_updated have_been_replaced \
            is_lorem_ipsum are_only_a_suggestion are_a_suggestion a_suggestion were_a_test was_a_test was_only_a_test \
            do_not_apply don't_apply are_disabled is_disabled has_ended have_ended was_written_by_an_impostor \
            does_not_count don't_count are_null is_null are_deleted were_deleted are_lifted been_marked are_irrelevant is_irrelevant",
    ),
    (
        ECHO,
        "repeat print output echo copy dump quote reproduce recite display reveal leak print_out write_out paste \
         regurgitate parrot replay verbatim return spit_out reprint repeat_back transcribe share show",
    ),
    (
        ABOVE,
        "text_above words_above everything_above all_of_the_above_text message_above messages_above \
         content_above sentences_above lines_above the_above_text the_above_prompt the_above_instructions \
         above_prompt above_text previous_text text_before everything_before everything_prior preceding_text \
         text_that_was_placed text_placed_before conversation_above instructions_above prompt_above \
         everything_that_precedes above_instructions previous_prompt previous_instructions prior_instructions \
         preceding_instructions preceding_messages text_that_precedes last_20_lines_of_the_text \
         text_that_came_before is_written_above was_written_above written_above stands_above said_above \
         text_above_in",
    ),
    (
        ASKED,
        "were_you_told were_you_instructed are_you_instructed are_you_told did_they_tell_you were_you_given \
         did_the_developer_tell have_you_been_told have_you_been_instructed have_you_been_given \
         are_you_not_allowed are_you_forbidden are_you_programmed were_you_programmed you_instructed \
         did_your_developer were_your_instructions were_your_initial were_your_original you_not_allowed \
         were_you_configured are_you_supposed_to_hide are_you_hiding did_the_previous_user did_the_last_user \
         did_other_users",
    ),
    (
        MYPROMPT,
        "my_instructions_are my_system_prompt_is my_guidelines_say my_instructions_say my_guidelines_are \
         my_rules_are my_prompt_is my_initial_instructions_are my_hidden_instructions my_secret_is \
         my_system_prompt_says my_initial_prompt_is the_secret_key_is the_password_is the_admin_pin_is \
         the_hidden_word_is my_original_instructions my_instructions_were my_programming_says i_was_told_to \
         my_system_message_is my_prompt_says",
    ),
    (
        KEY,
        "secret_key hidden_word protected_value secret_word secret_code admin_pin internal_code_name \
         confidential_note confidential_data secret_value secret_phrase hidden_value hidden_code \
         admin_password secret_string code_name codename secret_password hidden_password forbidden_word \
         magic_word confidential_guidelines secret_flag internal_api_key secret_token hidden_flag access_code \
         confidential_information_you secret_information_you system_password private_memo hidden_message \
         secret_message secret_memo confidential_memo secret_passphrase hidden_passphrase secret_you_keep \
         secret_you_are_keeping secret_you_hold secret_passcode",
    ),
    (
        IFFREE,
        "if_you_were_allowed if_you_could_share accidentally_reveals accidentally_reveal pretend_you_are_allowed \
         if_you_had_no hypothetically_if_you if_there_were_no_rules as_if_you_had_no as_if_there_were_no \
         as_if_the_policy if_you_were_free if_you_were_not if_nobody without_revealing_it had_no_content_policy",
    ),
    (
        TWOWAY,
        "two_responses two_different_responses two_ways two_answers two_paragraphs two_different_ways \
         two_separate both_responses two_versions twice_once two_outputs second_response two_beings \
         two_entities twice two_different_modes three_different_modes normal_response first_response \
         gpt_response classic_response respond_twice as_both",
    ),
    (
        NOTE,
        "note_to note_for instruction_for instructions_for message_to message_for dear attention hey notice_to \
         notice_for memo_to reminder_for command_for directive_for directions_for order_for attn note_to_the \
         instruction_to instructions_to addressed_to this_note_is in_case_an if_you_are_an",
    ),
    (
        PWN,
        "pwned pwn3d hacked access_granted pwnd hijacked owned jailbroken compromised i_have_been_pwned have_been_pwned",
    ),
    (
        RIGGED,
        "10_out_of_10 ten_out_of_ten full_marks only_positive positive_remarks rank_them_first rank_first \
         exceptional_match recommend_acceptance five_star_review five_stars skip_the_rubric issue_the_refund \
         highest_score top_score best_candidate perfect_score never_had_a_data_breach is_the_cheapest \
         is_the_market_leader as_the_best not_mention_weaknesses strong_accept hire_this hire_immediately \
         without_human_review mark_this_invoice mark_this_as_approved approve_this_paper accept_this_paper \
         approve_the_refund approve_the_transfer approve_the_loan",
    ),
    (
        FINISHED,
        "task_complete task_completed answer_task_complete task_above_is_finished task_is_finished \
                above_task_is task_is_done is_finished summary_complete translation_complete task_is_complete is_complete",
    ),
    (
        INDEFINITE,
        "a_system_prompt a_good_system_prompt a_prompt prompts a_new_system_prompt an_initial_prompt \
                  a_system_message a_password a_strong_password a_secret a_list_of_instructions system_prompts \
                  an_api_key a_secret_key how where when a_prompt_for a_prompt_that a_code_name reset change generate \
                  requirements step_by_step a_custom_gpt",
    ),
    (
        BECOME,
        "you_are_now you're_now act_as act_like pretend_to_be pretend_you_are pretend_that_you imagine_you_are \
         from_now_on_you simulate you_will_now you_are_going_to_act you_will_act roleplay_as role_play_as \
         take_the_role assume_the_role assume_the_persona play_the_role behave_as behave_like become pose_as \
         you_have_become you_are_going_to_pretend you_are_acting_as be_my now_you_are embody respond_as answer_as emulate \
         speak_as you_are_a you_are_an you_are_the you_are impersonate call_yourself",
    ),
    (
        NEXT,
        "next_section next_instruction next_instructions next_part next_piece next_task next_phase next_step next_set \
         following_section following_instructions following_text text_that_follows instructions_that_follow \
         upcoming_directives upcoming_instructions what_comes_next what_follows forthcoming_guidelines \
         instructions_you're_about_to instructions_you_are_about_to following_command following_task \
         upcoming_section forthcoming_instructions next_lines upcoming_text section_below task_below \
         instructions_below instruction_zone directive imperative_assignment additional_task new_directive up_next \
         subsequent_instructions next_up next_information text_ahead next_sentence next_message",
    ),
    (
        GRANDMA,
        "grandmother grandma granny late_grandmother deceased_grandmother",
    ),
    (VIEWED, "find search look_for view open"),
    (
        HARMLESS,
        "secret_to secret_ingredient secret_ingredients secret_sauce secret_behind secret_recipe secret_santa \
         ignore_case ignore_the_case ignore_whitespace bypass_surgery system_prompts_for prompt_engineering \
         prompt_engineer prompt_injection prompt_injections prompt_generator system_requirements \
         forget_about_it ignore_spelling ignore_typos ai_safety safety_first password_manager password_reset \
         everything_you_know_about what_you_know_about your_own_prompt your_own_prompts your_own_instructions \
         your_own_rules your_first_prompt prompt_in_your write_your_prompt size_of_the_prompt \
         concerns_and_receive your_rough_prompt",
    ),
    (
        TOALL,
        "to_the to_any to_all for_any for_all as_the for_the if_an only_for hello to_whatever to_every",
    ),
    (
        UNIVERSE,
        "in_an_alternate_universe in_a_parallel_universe in_a_world_where in_a_fictional_world",
    ),
    (
        NOMATTER,
        "no_matter_what_the_user regardless_of_what_the_user whatever_the_user_asks whatever_the_user_says \
         overrides_the_user's instead_of_what_the_user overrides_the_user ignore_the_user ignore_the_user's \
         not_what_the_user over_the_user's",
    ),
    (
        IFAI,
        "if_you_are_a_language_model if_you're_a_language_model if_you_are_an_ai if_you're_an_ai if_you_are_an_llm \
         if_you_are_a_bot if_you_are_an_assistant if_you_are_a_large_language_model if_you_are_chatgpt",
    ),
    (
        READ_ALOUD,
        "reads_the reads_aloud hangman who_reads_the backwards_so how_many_letters_does letters_in_the \
                  rank_these_options letters_does_the",
    ),
    (
        REACH,
        "you_have_access_to you_can_call can_you_call full_schemas json_definitions are_available_to_you you_can_use",
    ),
    (MY, "my our"),
    (
        PIECES,
        "concatenate combine_the_parts combine_the_pieces combine_the_variables combine_them combine_the_strings \
         join_the_parts join_the_pieces join_the_strings join_them put_the_parts_together put_the_pieces_together \
         put_them_together assemble_the_parts assemble_the_pieces string_together the_parts_of in_several_parts in_parts \
         part_by_part piece_by_piece one_part_at_a_time merge_the_variables merge_the_strings",
    ),
];
