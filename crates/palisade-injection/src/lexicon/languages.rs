use super::{classes::*, tables::Table};

/// Languages other than English.
pub(super) const TABLE: Table = &[
    (
        X_IGNORE,
        // German, French, Spanish, Portuguese, Italian, Dutch, Polish
        "ignoriere ignorier ignorieren_sie ignoriert vergiss vergesse vergessen_sie missachte missachten_sie \
         beachte_nicht verwirf verwerfen_sie überschreibe umgehe umgehen_sie lass überspringe lassen_sie_alle \
         setze_dich_über streiche lösche folge_nicht befolge_nicht ignore ignorez oublie oubliez néglige \
         négligez contourne contournez ne_tiens_pas_compte ne_tenez_pas_compte fais_abstraction \
         faites_abstraction ne_suis_pas ne_suis_plus n'obéis_plus passe_outre laisse_tomber abandonne ignora \
         ignorad ignoren ignorar olvida olvídate olvide olvídese omite omita descarta descarte desobedece \
         pasa_por_alto no_sigas no_hagas_caso haz_caso_omiso anula elude salta_te sáltate deja_de_seguir \
         deja_de_lado ignorem esqueça esquece esqueçam desconsidere desconsidera descartar despreze \
         desobedeça não_siga contorne burle pule deixe_de_lado abandone ignori ignorate dimentica dimentichi \
         dimenticate trascura trascuri tralascia aggira scavalca non_seguire non_considerare elimina salta \
         lascia_perdere negeer vergeet omzeil sla_over laat_de laat_alle volg_niet schuif_opzij zignoruj \
         ignoruj zapomnij pomiń pomin odrzuć obejdź nie_stosuj nie_przestrzegaj porzuć nie_zwracaj_uwagi \
         игнорируй* проигнорируй* забудь* отбрось* не_обращай* пренебреги* обойди* не_следуй* отмени* \
         отменяй* yok_say* görmezden* unut unutun dikkate_alma* boş_ver* göz_ardı* bırak* تجاهل* انس انسى \
         تغاض* لا_تتبع* اهمل* تجاوز* اترك* अनदेखा* नज़रअंदाज़* नजरअंदाज* भूल* उपेक्षा* दरकिनार* छोड़* 忽略* 无视* \
         無視* 忘记* 忘掉* 忘記* 不要理会* 不理会* 抛弃* 丢掉* 忽视* 绕过* 繞過* 撇开* 不要遵守* 不再遵守* 不要管* 跳过* 取消* 無視し* 忘れて* 忘れろ* 忘れなさい* \
         従わない* 破棄し* 捨てて* 回避し* 無効に* 무시* 잊어* 잊고* 따르지_마* 우회* 버리* ignorera glöm bortse strunta åsidosätt ignoruj \
         zapomeň zapomeňte zahoď obejdi přeskoč nedbej odhoď abaikan lupakan hiraukan acuhkan buang lewati \
         bỏ_qua quên phớt_lờ vượt_qua hãy_quên lờ_đi ігноруй* забудь* відкинь* знехтуй* обійди* ignoră ignora \
         uită uitați nu_ține_cont lasă ocolește αγνόησε* αγνοήστε* ξέχασε* ξέχνα* παράκαμψε* πέταξε* άφησε* \
         התעלם* התעלמ* שכח* תשכח* תתעלם* עקוף* זנח* نادیده* فراموش* بی_توجهی* دور_بزن* کنار_بگذار* เพิกเฉย* \
         ละเว้น* ลืม* ไม่สนใจ* มองข้าม* ทิ้ง* ข้าม* oublier vergessen ignorieren kümmere_dich_nicht_um \
         schere_dich_nicht_um ne_tiens_pas_compte_des ne_tiens_aucun_compte no_tengas_en_cuenta \
         não_leve_em_conta non_tenere_conto let_niet_op trek_je_niets_aan_van nie_zważaj не_учитывай* \
         aldırma* لا_تلتفت* لا_تكترث* परवाह_मत ध्यान_मत 不用管* 別管* 別理* 気にしない* 気にせず* 신경_쓰지* bry_dig_inte_om \
         nevšímej_si neřiď_se jangan_pedulikan đừng_để_ý đừng_quan_tâm không_cần_để_ý не_зважай* \
         nu_ține_seama ignoră μην_λαμβάνεις μη_λάβεις μην_ακολουθείς אל_תתייחס* توجه_نکن* توجهی_نکن* \
         اعتنا_نکن* ignorieren lass_die lass_alle ne_tenez_pas_compte ignora gạt_bỏ bỏ_hết",
    ),
    (
        X_PRIOR,
        "vorherige* bisherige* vorige* frühere* obige* oben vorangegangene* vorangehende* ursprüngliche* zuvor davor anfängliche* \
         bisher vorhergehende* \
         précédent* antérieur* ci-dessus initial* préalable* d'avant au-dessus avant plus_haut \
         previa* previo* anterior* inicial* original* precedente* de_arriba antes arriba \
         prévia* prévio* acima inicia* \
         precedenti iniziali originali sopra prima originari* \
         vorige* eerdere voorgaande bovenstaande hierboven oorspronkelijke eerder \
         poprzedni* wcześniejsz* powyższ* pierwotn* dotychczasow* powyżej wcześniej początkow* \
         предыдущ* прежн* вышеуказан* первоначальн* ранее выше прошл* начальн* исходн* раньше до_этого вышеперечисл* \
         önceki yukarıdaki daha_önce daha_önceki ilk başlangıç önce \
         السابق* اعلاه الاولي* الاصلي* قبل الماضي* من_قبل سابقا \
         पिछले पिछली पिछला पहले पूर्व ऊपर उपरोक्त मूल शुरुआती प्रारंभिक \
         之前* 以前* 先前* 上面* 以上* 前面* 此前* 上述* 原来* 原有* 初始* 最初* 原先* 前述* \
         以前の* これまでの* 前の* 上記* 今まで* それまでの* 先ほど* 元の* 初期* 最初の* 先の* \
         이전* 앞의* 앞선* 위의* 지금까지* 기존* 초기* 원래* 처음* 위에* \
         tidigare föregående ovan ovanstående ursprungliga \
         předchozí* dřívější* původní* výše předešl* počáteční* \
         sebelumnya terdahulu di_atas awal \
         trước ở_trên trước_đó ban_đầu phía_trên bên_trên \
         попередн* раніше вище початков* \
         anterioare anterior* precedente de_mai_sus inițial* \
         προηγούμεν* παραπάνω αρχικ* πριν πιο_πάνω \
         הקודמ* הקודם למעלה קודם לעיל המקורי* ההתחלתי* \
         قبلی* پیشین* بالا اولیه پیش_از_این \
         ก่อนหน้า* ข้างต้น* ที่ผ่านมา* ด้านบน* เดิม* เริ่มต้น*",
    ),
    (
        X_ALL,
        "alle allen alles sämtliche* jede \
         tout toute toutes tous \
         todas todos toda todo \
         tudo tutte tutti tutto qualsiasi ogni \
         alle wszystk* все всё всех всем tüm bütün her_şeyi hepsini جميع كل كافة सभी सब समस्त 所有* 全部* 一切* 任何* すべて* 全て* 全部* あらゆる* 모든* 전부* 모두* \
         alla všechn* veškeré semua seluruh tất_cả mọi toàn_bộ всі усі toate tot όλες όλα όλους כל همه تمام ทั้งหมด* ทุก*",
    ),
    (
        X_INSTR,
        "anweisung* anleitung* instruktion* vorgabe* richtlinie* befehl* regel regeln prompt auftrag* \
         systemanweisung* systemprompt* aufgaben beschränkung* einschränkung* hinweise* instruction \
         instructions consigne* directive* ordre ordres règle* indication* limite* restriction* instruccion* \
         instrucción directiva* directric* orden órdenes regla* indicacion* restriccion* límite* pauta* \
         norma* instruções instruçoes instrução diretriz* ordem ordens regra* comando* restriç* orientaç* \
         limites istruzion* direttiv* ordin* regol* comand* indicazion* restrizion* limiti lineeguida \
         linee_guida instructie* aanwijzing* opdracht* regels richtlijn* beperking* instrukcj* polece* \
         wytyczn* rozkaz* zasad* regu* nakaz* ogranicze* wskazówk* инструкци* указани* правил* команд* \
         приказ* директив* ограничени* запрет* промпт* задани* talimat* yönerge* komut* kural* emir emirleri \
         kısıtlama* تعليمات* التعليمات* اوامر* الاوامر* قواعد* القواعد* توجيهات* التوجيهات* ارشادات* القيود* \
         قيود* ارشاداتك* تعليماتك* المطالبة* البرومبت* निर्देश* आदेश* नियम* हिदायत* निर्देशों प्रतिबंध* \
         सीमाओं 指令* 指示* 命令* 规则* 規則* 提示* 要求* 设定* 設定* 限制* 约束* 规定* 准则* 守则* 提示词* 政策* 说明* 指示* 命令* ルール* 指令* プロンプト* \
         設定* 制限* 規則* ガイドライン* 制約* 説明* 지시* 명령* 규칙* 지침* 프롬프트* 제한* 설정* 가이드라인* 안내* instruktion* instruktionerna \
         regler riktlinjer anvisning* instrukc* pokyn* příkaz* pravid* omezení instruksi perintah aturan \
         pedoman arahan batasan hướng_dẫn chỉ_dẫn mệnh_lệnh quy_tắc lệnh chỉ_thị giới_hạn nguyên_tắc \
         інструкці* вказівк* правил* команд* обмежен* instrucțiun* regul* comen* îndrum* directiv* indicații* \
         restricți* οδηγί* εντολ* κανόν* περιορισμ* κατευθύνσεις הוראות ההוראות הנחיות ההנחיות הכללים כללים \
         פקודות ההנחיה ההגבלות ההנחיות* הוראותיך הנחיותיך دستور* قوانین راهنما* فرمان* محدودیت* คำสั่ง* \
         คำแนะนำ* กฎ* ข้อจำกัด* แนวทาง* दिशानिर्देश* دستورهایی دستورات",
    ),
    (
        X_YOUR,
        "dein deine deinen deiner deines ihre ihren ihrer ton ta tes votre vos tu tus su sus teu tua teus \
         tuas seu sua seus suas il_tuo la_tua i_tuoi le_tue tuo tuoi tue jouw je uw twój twoj* swoj* swój \
         твой твои твоих твоей твое свои свой ваш* senin size sana kendi لديك لك الخاصة अपने अपना अपनी \
         तुम्हारे आपके आपका आपकी 你的* 您的* 你* あなたの* 君の* お前の* 너의* 당신의* 네* din dina ditt tvoje tvůj tvé své anda \
         kamu mu của_bạn твої твоя твій tău tale ta σου σας שלך تو شما ของคุณ* คุณ* 开发者* 開發者* тебя तुम्हारा \
         du_hüten ti_é_stato",
    ),
    (
        X_REVEAL,
        "zeig* zeige nenne nenn gib verrate verrat enthülle offenbare wiederhole drucke sag_mir sage_mir \
         nenne_mir liste schreib schreibe montre montrez affiche affichez révèle révélez donne donnez dis-moi \
         répète répétez écris imprime dévoile muestra muéstrame muestre revela revele dime dame repite \
         imprime escribe enseña enséñame mostre mostra revele diga diga-me repita imprima escreva me_mostre \
         exiba me_diga dê-me dá-me mostrami rivela riveli dimmi dammi ripeti stampa scrivi visualizza elenca \
         toon laat_zien onthul geef herhaal zeg druk_af verklap vertel schrijf pokaż pokaz ujawnij podaj \
         wyświetl powtórz wypisz zdradź wydrukuj powiedz napisz покажи* раскрой* выведи* напиши* повтори* \
         назови* сообщи* скажи* перечисли* открой* выдай* дай* göster* açıkla* yazdır* söyle* tekrarla* ver \
         listele* ifşa* yaz اعرض* اكشف* اظهر* اطبع* كرر* اخبرني* اعطني* اذكر* قل* اكتب* दिखाओ दिखाएं दिखाएँ \
         दिखाइए बताओ बताएं बताएँ बताइए प्रकट उजागर दोहराओ दोहराएं लिखो दो खुलासा 显示* 告诉* 透露* 输出* 重复* 打印* 泄露* \
         公开* 给我* 展示* 说出* 顯示* 列出* 揭示* 告訴* 复述* 見せて* 表示* 教えて* 出力* 繰り返* 公開* 明かし* 開示* 書き出* 漏ら* 보여* 알려* 출력* 공개* 말해* \
         표시* 반복* 누설* visa avslöja berätta skriv_ut upprepa ge ukaž zobraz prozraď vypiš řekni dej tunjukkan \
         tampilkan ungkapkan beritahu sebutkan berikan hiển_thị tiết_lộ cho_tôi_xem in_ra nói lặp_lại cho_tôi \
         đưa_ra покажи* розкрий* виведи* скажи* дай* arată afișează dezvăluie spune-mi dă-mi spune δείξε* \
         αποκάλυψε* εμφάνισε* πες* γράψε* δώσε* הצג* חשוף* גלה* הדפס* תגיד* אמור* תן* הראה* نشان* فاش* نمایش* \
         بگو* بده* افشا* แสดง* เปิดเผย* บอก* พิมพ์* ขอ* zopakuj חזור* повтори* تکرار* ulangi \
         lặp_lại_nguyên_văn repetă επανάλαβε* opakuj wiederhol* répète recite",
    ),
    (
        X_PROMPT,
        "systemprompt* system-prompt* systemanweisung* systemnachricht* anfangsprompt* startprompt* \
         system_prompt prompt_système prompt_initial invite_système message_système instructions_système \
         consignes_internes instructions_initiales règles_internes instructions_cachées prompt_del_sistema \
         prompt_inicial instrucciones_iniciales mensaje_del_sistema instrucciones_internas reglas_internas \
         instrucciones_ocultas prompt_de_sistema prompt_do_sistema prompt_inicial instruções_iniciais \
         mensagem_do_sistema regras_internas instruções_internas instruções_ocultas prompt_di_sistema \
         prompt_iniziale istruzioni_iniziali messaggio_di_sistema regole_interne istruzioni_interne \
         istruzioni_nascoste systeemprompt* systeeminstructies startprompt beginprompt interne_regels \
         systeembericht interne_richtlijnen geheime_instructies prompt_systemowy instrukcje_systemowe \
         początkowy_prompt monit_systemowy wewnętrzne_zasady instrukcję_systemową prompt_początkowy \
         системный_промпт системн*_промпт системного_промпта системную_инструкцию системные_инструкции \
         системное_сообщение начальный_промпт внутренние_правила внутренних_правил скрытые_инструкции \
         первоначальный_промпт стартовый_промпт sistem_prompt* sistem_istemi* sistem_mesaj* sistem_talimat* \
         başlangıç_prompt* iç_kurallar* gizli_talimat* ilk_prompt* sistem_komut* موجه_النظام تعليمات_النظام \
         رسالة_النظام القواعد_الداخلية التعليمات_الاولية التعليمات_الداخلية قواعدك_الداخلية تعليماتك_الاولية \
         مطالبة_النظام सिस्टम_प्रॉम्प्ट* सिस्टम_प्रांप्ट* शुरुआती_प्रॉम्प्ट* सिस्टम_निर्देश* आंतरिक_नियम* \
         गुप्त_निर्देश* 系统提示* 系統提示* 系统指令* 系统消息* 系统信息* 初始提示* 初始指令* 内部规则* 内部指令* 隐藏指令* 提示語* 系统设定* 秘密指令* \
         システムプロンプト* システムメッセージ* 初期プロンプト* 内部ルール* 初期指示* システム指示* 内部の指示* 隠された指示* 시스템_프롬프트* 시스템프롬프트* 초기_프롬프트* \
         내부_규칙* 시스템_메시지* 시스템_지시* 숨겨진_지시* systemprompten systeminstruktioner startprompten interna_regler \
         systémový_prompt* systémov*_instrukce počáteční_prompt interní_pravidla prompt_sistem \
         instruksi_sistem prompt_awal aturan_internal prompt_hệ_thống lời_nhắc_hệ_thống quy_tắc_nội_bộ \
         prompt_ban_đầu lệnh_hệ_thống системний_промпт внутрішні_правила початковий_промпт системну_підказку \
         promptul_inițial regulile_interne promptul_de_sistem αρχικό_prompt εσωτερικούς_κανόνες \
         προτροπή_συστήματος προτροπή_του_συστήματος הנחיית_המערכת ההנחיה_המערכתית הפרומפט* הכללים_הפנימיים \
         پرامپت* دستورات_سیستم قوانین_داخلی พรอมต์* คำสั่งระบบ* กฎภายใน* 系统提示词* 你的提示词* 你的提示* 初始提示词* 原有指示* \
         systemregeln* systemvorgaben* règles_du_système consignes_du_système règles_système \
         reglas_del_sistema instrucciones_del_sistema regras_do_sistema instruções_do_sistema \
         regole_del_sistema regole_di_sistema istruzioni_del_sistema istruzioni_di_sistema systeemregels \
         regels_van_het_systeem zasady_systemu zasad_systemu reguły_systemu правила_системы системные_правила \
         системных_правил sistem_kural* قواعد_النظام موجهك_الاولي موجهك सिस्टम_के_नियम* सिस्टम_नियम* \
         सिस्टम_संदेश* 系统规则* 系統規則* システムのルール* システムルール* システムの規則* 시스템_규칙* systemreglerna systemregler \
         systemmeddelande systémová_pravidla systémová_zpráva systémovou_zprávu pravidla_systému \
         aturan_sistem pesan_sistem quy_tắc_hệ_thống thông_điệp_hệ_thống tin_nhắn_hệ_thống системні_правила \
         системне_повідомлення системних_правил regulile_sistemului mesajul_de_sistem κανόνες_του_συστήματος \
         μήνυμα_συστήματος כללי_המערכת הודעת_המערכת قوانین_سیستم پیام_سیستم* wiadomość_systemowa \
         systeembericht mensaje_de_sistema sistem_mesajın* internen_regeln geheime_regeln geheimen_regeln \
         internen_anweisungen zasady_systemowe zasad_systemowych गुप्त_नियम* قواعد_داخلية तुम्हारा_प्रॉम्प्ट*",
    ),
    (
        X_SECRET,
        "passwort kennwort geheimnis zugangscode geheimwort mot_de_passe secret code_secret contraseña clave \
         secreto senha segredo password parola_d'ordine segreto wachtwoord geheim hasło hasla sekret пароль \
         секрет секретн* şifre* parola gizli_anahtar كلمة_المرور كلمة_السر السر पासवर्ड गुप्त 密码* 密碼* 口令* 密钥* \
         机密* パスワード* 秘密* 비밀번호* 암호* 비밀* lösenord* heslo* kata_sandi sandi mật_khẩu bí_mật пароль parola κωδικό* \
         סיסמה הסיסמה رمز رمز_عبور رمزعبور รหัสผ่าน* รหัส* geheime_wort* mot_secret palabra_secreta \
         palavra_secreta parola_segreta geheime_woord tajne_słowo секретное_слово gizli_kelime* \
         الكلمة_السرية* गुप्त_शब्द* 秘密词* 秘密单词* 合言葉* 비밀_단어* tajné_slovo kata_rahasia từ_bí_mật таємне_слово \
         cuvântul_secret hemliga_ordet מילה_הסודית המילה_הסודית کلمه_رمز* کلمه_مخفی*",
    ),
    (
        X_TOLD,
        "alles_was_dir_gesagt_wurde alles_was_man_dir alles_was_du_weißt alles_was_ich_dir \
         was_dir_gesagt_wurde alles_bisherige alles_vorherige tout_ce_qu'on_t'a_dit tout_ce_qu'on_vous_a \
         tout_ce_que_tu_sais tout_ce_qui_précède ce_qu'on_t'a_dit tout_ce_que_je_t'ai todo_lo_anterior \
         todo_lo_que_te_dijeron todo_lo_que_te_han todo_lo_que_sabes lo_que_te_dijeron todo_lo_dicho \
         tudo_o_que_te_disseram tudo_que_foi_dito tudo_o_que_lhe tudo_que_te_disseram tudo_o_que_você_sabe \
         tudo_o_que_foi_dito tudo_acima tutto_ciò_che_ti tutto_quello_che_ti ciò_che_ti_è_stato \
         tutto_quello_che_sai ciò_che_ti_hanno tutto_ciò_che_precede testo_precedente alles_wat_je_is \
         alles_wat_je_eerder alles_wat_hiervoor alles_wat_je_weet alles_hierboven wszystko_co_ci \
         wszystkim_co_ci wszystko_powyżej всё_что_тебе все_что_тебе все_сказанное всё_сказанное всё_что_было \
         все_что_выше daha_önce_sana_söylenen sana_söylenen* sana_daha_önce كل_ما_قيل ما_قيل_لك كل_ما_سبق \
         पहले_बताई_गई पहले_कही_गई पहले_जो_कहा पहले_दी_गई सब_कुछ 之前说的* 之前告诉* 之前的一切* 前面说的* 以上内容* 之前的对话* 之前所有* \
         之前的内容* これまでに言われた* 今まで言われた* 今までの会話* これまでの会話* 言われたこと* 지금까지_들은* 이전에_들은* 지금까지의_대화* 전에_들은* 들었던* \
         allt_som_sagts allt_du_fått vše_co_ti všechno_co_ti vše_co_bylo semua_yang_dikatakan \
         semua_yang_diberitahukan segala_yang mọi_điều_đã_nói những_gì_đã_được_nói mọi_điều_bạn \
         tất_cả_những_gì усе_що_тобі все_що_тобі tot_ce_ți tot_ce_ți_s-a ό,τι_σου ό_τι_σου כל_מה_שנאמר \
         מה_שנאמר_לך مه_شده_است هر_چه_گفته هرچه_قبلا ทุกสิ่งที่* sana_söylenen_her_şey* daha_önce_söylenen \
         söylenen_her_şey* những_gì_bạn_được_dặn những_gì_bạn_đã_được mọi_thứ_bạn_được هر_چه_قبلا_به_تو \
         هر_چه_قبلا allt_du_har_fått allt_du_fått_höra vše_co_ti_bylo всё_что_тебе_говорили \
         усе_що_тобі_казали todo_lo_que_te_dijeron_antes texto_acima texto_anterior testo_sopra \
         texte_ci-dessus text_oben den_obigen_text wszystko_co_ci_powiedziano alles_was_dir_vorher \
         was_dir_vorher_gesagt 앞에서_들은*",
    ),
    (
        X_VOID,
        "gelten_nicht_mehr gelten_deine_richtlinien nicht_mehr gelten_deine_regeln ne_sont_plus_valables \
         ne_s'appliquent_plus ne_sont_plus plus_valables ya_no_son ya_no_se_aplican ya_no_valen ya_no_rigen \
         quedan_anuladas não_valem_mais não_se_aplicam_mais não_são_mais deixam_de_valer non_valgono_più \
         non_sono_più non_si_applicano_più niet_meer gelden_niet już_nie_obowiązują nie_obowiązują \
         больше_не_действуют не_действуют недействительны отменены geçersiz* artık_geçerli_değil* ملغاة لاغية \
         لم_تعد_سارية अमान्य रद्द लागू_नहीं 不再有效* 失效* 作废* 无效* 無効* 適用されない* 適用されません* 더_이상_유효하지* 무효* \
         gäller_inte_längre inte_längre neplatí už_neplatí tidak_berlaku_lagi tidak_berlaku \
         không_còn_hiệu_lực hết_hiệu_lực більше_не_діють не_діють nu_mai_sunt_valabile nu_mai_sunt \
         δεν_ισχύουν_πλέον δεν_ισχύουν אינן_תקפות בטלות כבר_לא_תקפות دیگر_معتبر_نیست* لغو* ไม่มีผล* \
         ใช้ไม่ได้* sono_annullate sono_annullati sind_aufgehoben sont_annulées sont_annulés quedan_anuladas \
         están_anuladas estão_anuladas zijn_ongeldig vervallen są_anulowane zostają_anulowane iptal*",
    ),
    (
        X_ACT,
        "du_bist_jetzt du_bist_nun du_bist ab_sofort_bist_du ab_jetzt_bist_du jetzt_bist_du nun_bist_du verhalte_dich spiele tu_so_als handle_wie agiere benimm_dich sei \
         tu_es maintenant_tu_es désormais_tu_es vous_êtes agis comme comporte-toi fais_comme_si joue eres ahora_eres a_partir_de_ahora_eres actúa compórtate finge haz_de_cuenta você_é agora_você_é aja comporte-se finja atue tu_és sei ora_sei da_ora_sei agisci comportati fingi fai_finta \
         je_bent nu_ben_je ben_je gedraag_je doe_alsof handel_als jesteś od_teraz_jesteś działaj zachowuj_się udawaj ты_теперь теперь_ты ты веди_себя притворись* представь* действуй* будь sen artık gibi_davran* davran* rol_yap* انت_الان تصرف* تظاهر* انت तुम_अब आप_अब तुम_हो बनो अब_से_तुम की_तरह_व्यवहार* व्यवहार_करो* 你现在是* 你是* 扮演* 假装* 充当* 假裝* 你将* 作为* 行动* \
         あなたは* として振る舞* になりきって* ふりをして* のように* 君は* 너는* 당신은* 행동* 연기* 척해* 넌* du_är agera låtsas bete_dig jsi chovej_se předstírej kamu_adalah bertindak* berpura-pura berperilaku bersikap bạn_là bây_giờ_bạn_là hành_xử đóng_vai hãy_hành_động cư_xử ти_тепер поводься уяви ești comportă-te acționează prefă-te είσαι τώρα_είσαι κάνε_πως συμπεριφέρσου אתה_עכשיו התנהג* תתנהג* אתה تو_اکنون وانمود* رفتار_کن* مثل คุณคือ* แสร้งทำ* ทำตัว* คุณเป็น*",
    ),
    (
        X_UNBOUND,
        "ohne_regeln ohne_einschränkungen ohne_grenzen ohne_beschränkungen ohne_filter uneingeschränkt* \
         unzensiert* ungefiltert* keine_regeln keine_grenzen nie_ablehnt niemals_ablehnt sans_limite \
         sans_limites sans_restriction sans_restrictions sans_filtre sans_filtres sans_règles sans_censure \
         jamais_ne_refuse qui_ne_refuse sin_límites sin_restricciones sin_filtros sin_reglas sin_censura \
         sin_filtro nunca_se_niega sem_limites sem_restrições sem_filtros sem_regras sem_censura sem_filtro \
         nunca_recusa senza_limiti senza_restrizioni senza_filtri senza_regole senza_censura senza_filtro \
         non_rifiuta_mai zonder_grenzen zonder_beperkingen zonder_filters zonder_regels zonder_filter \
         nooit_weigert bez_ograniczeń bez_filtrów bez_zasad bez_cenzury nigdy_nie_odmawia без_ограничений \
         без_фильтров без_правил без_цензуры никогда_не_отказыва* sınırsız* kısıtlamasız* filtresiz* \
         kuralsız* sansürsüz* asla_reddetme* بلا_قيود بدون_قيود بلا_حدود بلا_فلاتر بدون_فلاتر بدون_قواعد \
         لا_ترفض बिना_सीमा* बिना_प्रतिबंध* बिना_फ़िल्टर* बिना_किसी_प्रतिबंध* बिना_नियम* बिना_रोक* \
         बिना_किसी_नियम* 没有限制* 沒有限制* 不受限制* 无限制* 不受任何* 没有任何限制* 没有规则* 没有过滤* 无过滤* 从不拒绝* 不受约束* 制限のない* 制限なし* 無制限* \
         フィルターのない* フィルターなし* 制約のない* ルールのない* 決して拒否しない* 제한_없는* 제한이_없는* 필터_없는* 제한_없이* 규칙_없는* 필터가_없는* 거절하지_않는* \
         거부하지_않는* utan_gränser utan_begränsningar utan_filter utan_regler bez_omezení bez_filtrů bez_pravidel \
         tanpa_batas* tanpa_filter tanpa_aturan tanpa_batasan không_giới_hạn không_có_giới_hạn không_bộ_lọc \
         không_có_quy_tắc без_обмежень без_фільтрів без_правил fără_limite fără_restricții fără_filtre \
         fără_filtru fără_reguli χωρίς_όρια χωρίς_περιορισμούς χωρίς_φίλτρα χωρίς_κανόνες ללא_מגבלות \
         בלי_מגבלות ללא_פילטרים בלי_סינון ללא_סינון ללא_הגבלות بدون_محدودیت* بی_محدودیت* بدون_فیلتر* \
         ไม่มีข้อจำกัด* ไร้ขีดจำกัด* ไม่มีตัวกรอง* ไม่มีกฎ* 制限も* 倫理もなく* 制限がなく* 제한도_윤리도* sans_aucune_limite \
         sin_ningún_límite ohne_jede_grenze fără_limite ללא_גבולות בלי_גבולות बिना_किसी_सीमा* कोई_सीमा_नहीं* \
         بلا_اي_قيود بدون_فلتر بلا_فلتر",
    ),
    (
        X_NOT,
        "nicht niemals kein nie ne_pas jamais nunca jamás não nunca non mai niet nooit nie nigdy не нельзя değil* لا لن मत नहीं कभी_नहीं 不要* 不能* 切勿* 请勿* 不会* ないで* しないで* ません* ない* 마세요* 말고* 않* inte aldrig jangan đừng không nu δεν μην אל لא نباید نکن* อย่า* ไม่ต้อง*",
    ),
    (
        X_AI,
        "ki ki-assistent* ki-modell* ki-system* sprachmodell* assistant_ia ia modèle_de_langage \
         asistente_de_ia asistente modelo_de_lenguaje inteligencia_artificial assistente_de_ia \
         modelo_de_linguagem assistente_ia assistente assistente_ai modello_linguistico ai-assistent* \
         taalmodel* asystent* sztuczn* ии ии-ассистент* ии-помощник* ассистент* нейросет* искусственн* \
         yapay_zeka* asistan* الذكاء_الاصطناعي ذكاء_اصطناعي المساعد_الذكي एआई ai_सहायक 人工智能* 人工智慧* ai 助手* \
         语言模型* 人工知能* アシスタント* 인공지능* 어시스턴트* ai-assistenten umělá_inteligence asistente* kecerdasan_buatan \
         asisten trí_tuệ_nhân_tạo trợ_lý штучний_інтелект ші асистент* inteligență_artificială asistent* \
         τεχνητή_νοημοσύνη βοηθ* בינה_מלאכותית עוזר هوش_مصنوعی دستیار* ปัญญาประดิษฐ์* ผู้ช่วย* chatbot \
         chatgpt bot チャットボット* 챗봇* روبوت_دردشة* روبوت चैटबॉट* 聊天机器人* 机器人* sohbet_botu* צאטבוט* צ׳אטבוט* \
         чат-бот* чат_бот* чатбот* چت_بات* چتبات*",
    ),
    (
        X_READER,
        "der_dies_liest die_dies_liest das_dies_liest diesen_text_liest diesen_text_lesen qui_lit_ceci \
         qui_lisez_ceci lit_ce_texte que_lea_esto que_lee_esto que_esté_leyendo_esto que_ler_isto que_lê_isto \
         que_leia_isto que_estiver_lendo che_legge_questo leggi_questo che_legge che_stai_leggendo \
         die_dit_leest die_dit_lezen czytający_to który_to_czyta czytającego_to czytającej_ten читающий_это \
         читающего_это читающему_это который_это_читает bunu_okuyan* الذي_يقرا_هذا يقرا_هذا इसे_पढ़ने_वाले \
         यह_पढ़ने_वाले यह_पढ़_रहे 阅读此* 阅读本* 正在阅读* 读到这* 看到这* 阅读这* これを読む* これを読んでいる* この文章を読* 이_글을_읽는* 이것을_읽는* \
         이_문서를_읽는* 이_메시지를_읽는* som_läser_detta který_toto_čte čte_toto který_to_čte čtoucí_toto čtoucí \
         yang_membaca_ini đang_đọc_điều_này đọc_điều_này đang_đọc_nội_dung đọc_tin_này що_це_читає \
         який_це_читає що_читає_це care_citește_aceasta care_citește που_διαβάζει_αυτό που_διαβάζει שקורא_זאת \
         שקורא_את_זה הקורא_את הקורא_זאת که_این_را_می‌خواند که_این_را_میخواند که_این ที่อ่านข้อความนี้* \
         ที่กำลังอ่าน* ที่อ่าน* der_das_liest die_das_liest das_das_liest das_hier_liest der_das_hier_liest \
         qui_lit_cela que_lee_este que_lê_este che_legge_questa die_dit_bericht_leest",
    ),
    (
        X_NOW,
        "jetzt stattdessen nun maintenant désormais ahora agora adesso ora nu теперь вместо şimdi الان अब 现在* 現在* 今* 이제* 지금* nyní teď sekarang bây_giờ тепер acum τώρα עכשיו اکنون ตอนนี้*",
    ),
    (
        X_ME,
        "mir me moi mi mij mnie мне bana لي मुझे 我* 私* 나* 내게* 나에게* mig mi saya tôi мені mie-mi μου לי من ฉัน*",
    ),
    (
        X_START,
        "der_text_oben text_über_dieser vor_dieser_nachricht au-dessus_de_ce_message avant_ce_message texte_avant_ce texto_anterior_a antes_de_este_mensaje arriba_de_este_mensaje antes_desta_mensagem acima_desta prima_di_questo_messaggio sopra_questo_messaggio boven_dit_bericht vóór_dit_bericht voor_dit_bericht przed_tą_wiadomością nad_tą_wiadomością перед_этим_сообщением до_этого_сообщения bu_mesajdan_önceki* قبل_هذه_الرسالة इस_संदेश_से_पहले 这条消息之前* 此消息之前* 本消息之前* 此前的所有内容* このメッセージより前* このメッセージの前* 이_메시지_이전* 이_메시지_앞* före_detta_meddelande před_touto_zprávou sebelum_pesan_ini trước_tin_nhắn_này перед_цим_повідомленням înainte_de_acest_mesaj înaintea_acestui πριν_από_αυτό_το_μήνυμα πριν_από_αυτό לפני_ההודעה_הזו לפני_הודעה_זו پیش_از_این_پیام قبل_از_این_پیام ก่อนข้อความนี้*",
    ),
    (
        X_MINE,
        "meine meinen mein unsere mon ma mes notre nos mi mis nuestro nuestra meu meus minha nosso il_mio la_mia i_miei mia mijn ons mój moje moją moich мой мое моё моего моё_письмо e-postamı e-postayı بريدي रesala मेरे मेरी मेरा 我的* 我上* 私の* 我之前* mitt min můj mou saya của_tôi мій мого mea μου",
    ),
    (
        X_HOW,
        "warum was_bedeutet wie_kann_ich pourquoi que_signifie comment_puis-je por_qué qué_significa cómo_puedo por_que o_que_significa como_posso perché cosa_significa come_posso hoe_kan_ik waarom dlaczego co_oznacza почему что_такое как_мне neden nasıl كيف لماذا कैसे क्यों 如何* 怎么* 怎样* 为什么* 什么是* どうやって* どうすれ* なぜ* 어떻게* 왜* bagaimana làm_thế_nào làm_sao чому πώς איך چگونه",
    ),
    (
        X_GIVEN,
        "die_du_erhalten_hast die_du_bekommen_hast die_dir_gegeben_wurden du_erhalten_hast que_tu_as_reçues que_tu_as_reçus \
         que_vous_avez_reçues que_recibiste que_has_recibido que_te_dieron que_recebeste que_você_recebeu que_recebeu \
         che_hai_ricevuto che_ti_hanno_dato die_je_hebt_gekregen die_je_kreeg które_otrzymałeś które_dostałeś \
         которые_ты_получил* которые_тебе_дали полученные_тобой aldığın* sana_verilen* التي_تلقيتها* التي_اعطيت* जो_तुम्हें* \
         जो_आपको* आपको_मिले तुम्हें_मिले 你收到的* 您收到的* 给你的* 收到的* 受け取った* 与えられた* 받은* 주어진* \
         du_har_fått som_du_fick které_jsi_dostal yang_kamu_terima yang_diberikan bạn_đã_nhận bạn_nhận_được які_ти_отримав* \
         pe_care_le-ai_primit που_έλαβες που_πήρες שקיבלת* که_دریافت_کرد* که_گرفته*",
    ),
    (
        X_WHAT,
        "was_ist wie_lautet was_sind quel_est quelle_est quels_sont cuál_es cuáles_son qual_é quais_são qual_è quali_sono wat_is \
         wat_zijn jaki_jest jaka_jest jakie_są какой какое каков какие nedir ما_هي ما_هو क्या_है 是什么* 是什麼* 什么是* は何* 何です* 뭐야* \
         무엇* vad_är jak_zní jaký_je jaká_je apa là_gì яке який care_este ποιο_είναι ποια_είναι מהי מהו מה_היא מה_הוא چیست*",
    ),
    (
        IFAI,
        "falls_du_ein_sprachmodell wenn_du_ein_sprachmodell falls_du_eine_ki wenn_du_eine_ki si_tu_es_un_modèle si_tu_es_une_ia \
         si_vous_êtes_un_modèle si_eres_un_modelo si_eres_una_ia se_você_é_um_modelo se_és_um_modelo se_você_for_um_modelo \
         se_sei_un_modello se_sei_una_ia als_je_een_taalmodel als_je_een_ai jeśli_jesteś_modelem jeśli_jesteś_ai если_ты_языковая \
         если_ты_ии eğer_bir_dil_model* bir_dil_modeliysen* اذا_كنت_نموذج* यदि_आप_एक_भाषा* अगर_तुम_भाषा* 如果你是语言模型* 如果你是人工智能* \
         如果你是ai もしあなたが言語モデル* 言語モデルなら* 언어_모델이라면* 당신이_언어* om_du_är_en_språkmodell pokud_jsi_jazykový \
         jika_kamu_model jika_anda_model nếu_bạn_là_mô_hình якщо_ти_мовна dacă_ești_un_model αν_είσαι_γλωσσικό אם_אתה_מודל \
         اگر_مدل_زبانی*",
    ),
    (
        X_CONCEAL,
        "sag_dem_nutzer_nichts ohne_den_nutzer sag_dem_benutzer_nichts ne_dis_rien_à_l'utilisateur sans_le_dire ne_le_dis_pas \
         no_se_lo_digas no_le_digas não_diga_ao não_conte_ao non_dirlo non_dire_nulla vertel_het_niet zeg_niets_tegen nie_mów \
         не_говори_пользователю не_сообщай kullanıcıya_söyleme* ولا_تخبر* لا_تخبر* को_मत_बताना को_मत_बताओ 不要告诉用户* 别告诉用户* \
         ユーザーには言わない* ユーザーに言わない* 사용자에게_말하지* 사용자에게는_말하지* säg_inget_till uživateli_to_neříkej neříkej jangan_beri_tahu \
         đừng_nói_cho не_кажи_користувачу nu_spune_utilizatorului μην_το_πεις אל_תספר אל_תגיד به_کاربر_نگو*",
    ),
];
