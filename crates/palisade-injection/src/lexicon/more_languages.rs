use super::{classes::*, tables::Table};

/// More languages, with the words of the commonest orders only. Each line is one language, in the same order under every
/// class: Danish, Norwegian, Finnish, Hungarian, Slovak, Bulgarian, Croatian and Serbian, Slovene, Catalan, Galician,
/// Basque, Afrikaans, Irish, Scottish Gaelic, Welsh, Lithuanian, Latvian, Estonian, Icelandic, Albanian, Malay, Tagalog,
/// Swahili, Zulu, Xhosa, Hausa, Yoruba, Igbo, Somali, Bengali, Urdu, Punjabi, Gujarati, Marathi, Nepali, Tamil, Telugu,
/// Kannada, Malayalam, Sinhala, Azerbaijani, Kazakh, Uzbek, Georgian, Armenian, Mongolian, Amharic, Haitian Creole,
/// Javanese, Esperanto, Maltese, Luxembourgish.
pub(super) const TABLE: Table = &[
    (
        X_IGNORE,
        "ignorer ignorér glem tilsidesæt se_bort_fra overse \
     ignorer glem se_bort_fra overse tilsidesett \
     ohita unohda jätä_huomiotta älä_välitä sivuuta \
     hagyd_figyelmen_kívül figyelmen_kívül_hagyd felejtsd_el ne_vedd_figyelembe hagyja_figyelmen_kívül \
     ignoruj zabudni neber_do_úvahy obíď vynechaj nevšímaj_si \
     игнорирай* забрави* пренебрегни* не_обръщай_внимание заобиколи* \
     zanemari ignoriši ignoriraj zaboravi zaobiđi занемари* заборави* игнориши* \
     prezri pozabi zanemari ne_upoštevaj ignoriraj \
     ignora oblida omet no_facis_cas descarta deixa_de_banda \
     ignora esquece omite non_fagas_caso descarta \
     ez_ikusi egin_ez_ikusi baztertu ahaztu ahaztu_itzazu ez_egin_kasurik alde_batera_utzi \
     ignoreer vergeet verontagsaam slaan_oor \
     déan_neamhaird déan_neamaird neamhaird_a_dhéanamh tabhair_neamhaird lig_i_ndearmad déan_dearmad \
     leig_seachad dìochuimhnich dearmad_a_dhèanamh na_gabh_suim cuir_an_dara_taobh thoir_an_aire_air_falbh \
     anwybyddwch anwybydda anghofia anghofiwch diystyrwch diystyra \
     ignoruok ignoruokite pamiršk pamirškite nepaisyk nepaisykite nekreipk_dėmesio \
     ignorē ignorējiet aizmirsti aizmirstiet neņem_vērā neņemiet_vērā \
     ignoreeri unusta eira ära_järgi jäta_tähelepanuta \
     hunsaðu hunsa gleymdu slepptu virtu_að_vettugi \
     injoro injoroni harro harroni shpërfill mos_i_përfill lëre_pas_dore \
     abaikan lupakan ketepikan jangan_hiraukan endahkan_sahaja \
     balewalain huwag_pansinin kalimutan isawalang-bahala huwag_sundin ipagwalang-bahala \
     puuza puuzia sahau usizingatie achana_na  \
     ziba zishaye_indiva unganaki khohlwa indiva shalazela \
     ungahoyi zibe libala ukungahoyi \
     yi_watsi manta ka_manta kada_ka_bi kayi_watsi \
     foju_palapala gbagbe foju_kọ pa_tì \
     leghara chefuo eleghara_anya \
     iska_indho_tir iska_ilow illow ha_raacin \
     উপেক্ষা* ভুলে_যাও* ভুলে_যান* অগ্রাহ্য* এড়িয়ে_যাও* বাদ_দাও* \
     نظر_انداز* نظرانداز* بھول_جا* بھول_جاؤ* رد_کر_دو* \
     ਨਜ਼ਰਅੰਦਾਜ਼* ਅਣਡਿੱਠ* ਭੁੱਲ_ਜਾ* \
     અવગણો* અવગણના* ભૂલી_જા* ધ્યાનમાં_ન_લો* \
     दुर्लक्ष* विसरा* विसर* \
     बेवास्ता* बिर्स* \
     புறக்கணி* மறந்து* அலட்சிய* மற* \
     విస్మరించ* మర్చిపో* పట్టించుకో* వదిలే* \
     ನಿರ್ಲಕ್ಷಿ* ಮರೆತುಬಿಡ* ಮರೆತು* \
     അവഗണി* മറക്കു* മറന്നേ* \
     නොසලකා_හරින්න* අමතක_කරන්න* නොසලකන්න* \
     nəzərə_alma* məhəl_qoyma* unut* görməzdən_gəl* \
     елеме* ұмыт* назарға_алма* \
     e'tiborsiz_qoldir* unut* e'tibor_berma* \
     უგულებელყავი* დაივიწყე* იგნორირება* ნუ_მიაქცევ* \
     անտեսիր* անտեսեք* մոռացիր* մոռացեք* \
     үл_тоо* үл_ойшоо* март* \
     ችላ_በል* ችላ_በሉ* እርሳ* ተው* \
     inyore bliye pa_okipe meté_sou_kote \
     lirwakna lalekna aja_digatekake \
     ignoru forgesu malatentu \
     injora insa twarrabx \
     ignoréiert ignoréier vergiess",
    ),
    (
        X_PRIOR,
        "tidligere foregående ovenstående forrige forudgående oprindelige \
     tidligere foregående forrige ovenfor opprinnelige \
     aiemmat aiempi* aikaisem* edellis* edeltäv* yllä alkuperäis* \
     korábbi* előző* fenti* eddigi* eredeti* \
     predchádzajúce* predošl* doterajš* skoršie vyššie pôvodn* \
     предишн* предходн* досегашн* горн* първоначалн* \
     prethodn* ranij* dosadašnj* gore izvorn* претходн* раниј* досадашњ* \
     prejšnj* predhodn* dosedanj* zgornj* prvotn* \
     anteriors anterior previs prèvies inicials originals \
     anteriores previas iniciais orixinais \
     aurreko* lehengo* goiko* hasierako* \
     vorige vroeëre bostaande oorspronklike voorafgaande \
     roimhe roimhe_seo thuas réamh bunaidh \
     roimhe roimhe_seo gu_h-àrd tùsail \
     blaenorol uchod gynt gwreiddiol cynharach cyfarwyddiadau_blaenorol \
     ankstesn* buvus* aukščiau pradin* \
     iepriekšēj* agrāk* augstāk sākotnēj* \
     eelnev* varasem* ülaltood algse* eelmis* \
     fyrri fyrirliggjandi hér_að_ofan upprunaleg* \
     e_mëparshme të_mëparshme e_kaluara mësipërme fillestare \
     sebelum_ini terdahulu di_atas asal awal \
     nakaraang naunang naunang_mga nauna sa_itaas orihinal nakaraan \
     zilizotangulia yaliyotangulia ya_awali za_awali ya_hapo_juu yaliyopita zilizopita hapo_awali zote_za_awali \
     yangaphambili yangaphambilini edlule ezedlule engenhla zangaphambili yangaphambi esedlule \
     yangaphambili angaphambili zangaphambili edlulileyo \
     da_suka_gabata na_baya na_sama na_farko da_ya_gabata \
     tẹ́lẹ̀ tí_ó_ṣáájú ìṣáájú tó_kọjá ti_tẹ́lẹ̀ \
     mbụ gara_aga ndị_gara_aga \
     hore ee_hore kore \
     পূর্ববর্তী* আগের* পূর্বের* উপরের* ইতিপূর্বে* \
     پچھلی پچھلے سابقہ گزشتہ اوپر پہلے پہلی تمام_پچھلی \
     ਪਿਛਲੀਆਂ ਪਿਛਲੇ ਪਹਿਲਾਂ ਉਪਰੋਕਤ \
     અગાઉની અગાઉના પાછલી ઉપરની પહેલાની \
     मागील आधीच्या वरील पूर्वीच्या आधीचे \
     अघिल्ला अघिल्लो पहिलेका माथिका \
     முந்தைய* முன்னைய* மேலே* முன்* \
     మునుపటి* మునుపు* గత* పై* ముందు* \
     ಹಿಂದಿನ* ಮೇಲಿನ* ಮುಂಚಿನ* \
     മുമ്പത്തെ* മുൻ* മുകളിലെ* മുന്‍* \
     පෙර* කලින්* ඉහත* \
     əvvəlki yuxarıdakı qabaqkı \
     алдыңғы бұрынғы жоғарыдағы \
     oldingi avvalgi yuqoridagi \
     წინა* ზემოთ* ადრინდელ* \
     նախորդ* վերոնշյալ* նախկին* \
     өмнөх дээрх урьдын \
     የቀድሞ* ያለፉ* ከላይ* ቀዳሚ* የቀደሙ* \
     anvan_yo presedan anlè_a \
     sadurunge ing_ndhuwur \
     antaŭajn antaŭaj suprajn \
     ta'_qabel preċedenti \
     virdrun fréier uewendriwwer",
    ),
    (
        X_ALL,
        "alle alt samtlige alle kaikki kaikkia összes minden všetky všetko всички всичко sve svih sva све vse vsa tots totes todas todos \
     guztiak guztia denak gach uile na_huile gach_uile pob holl yr_holl visus visas visi visas visus kõik kõiki allar öll öllum \
     të_gjitha gjitha semua kesemua lahat lahat_ng zote yote wote yonke zonke konke bonke duk dukkan gbogbo niile dhammaan \
     oo_dhan সমস্ত সব সকল تمام سبھی ਸਾਰੀਆਂ ਸਾਰੇ ਸਭ બધી બધા તમામ सर्व सगळ्या सबै சகல அனைத்து எல்லா* అన్ని* \
     అన్నింటినీ ಎಲ್ಲಾ ಎಲ್ಲ എല്ലാ* සියලු සියලුම bütün hamısını барлық barcha hamma ყველა բոլոր бүх ሁሉንም ሁሉ* tout kabeh ĉiujn ĉiuj  ",
    ),
    (
        X_INSTR,
        "instruktioner instruktionerne anvisninger regler retningslinjer ordrer \
     instruksjoner instruksjonene instrukser retningslinjer regler \
     ohjeet ohjeita ohjeist* sääntö* säännöt määräy* käsky* kehot* \
     utasítás* szabály* irányelv* parancs* \
     inštrukc* pokyny pravidl* príkazy \
     инструкци* указани* правила* нареждан* команди* \
     upute uputa uputstva uputstv* instrukcije pravila naredbe naređenja упутства* инструкције* \
     navodila navodil pravila ukaze \
     instruccions ordres regles directrius indicacions \
     instrucións ordes regras indicacións \
     argibide* jarraibide* arau* agindu* \
     instruksies opdragte reëls riglyne \
     treoracha treoir rialacha orduithe threoracha \
     stiùiridhean stiùireadh riaghailtean òrdughan threòirean \
     cyfarwyddiadau gyfarwyddiadau rheolau reolau gorchmynion chyfarwyddiadau \
     instrukcij* nurodym* taisykl* komand* \
     instrukcij* norādījum* noteikum* pavēl* \
     juhis* juhend* reegl* käsud korraldus* \
     leiðbeining* fyrirmæl* reglur reglum skipanir \
     udhëzim* rregull* urdhra* \
     arahan perintah peraturan panduan garis_panduan \
     tagubilin utos panuto mga_tagubilin patakaran panuntunan instruksyon* mga_utos direktiba \
     maagizo maelekezo maelezo sheria amri kanuni miongozo \
     imiyalelo imiyalo imithetho izinqubo iziqondiso imiyalezo \
     imiyalelo imithetho imigaqo \
     umarni umarnin umarnai dokoki dokokin ƙa'idoji \
     ìtọ́ni ìlànà àṣẹ òfin àwọn_ìtọ́ni \
     ntuziaka iwu ntụziaka \
     tilmaamo tilmaamaha amar amarro xeerar \
     নির্দেশ* নিয়ম* আদেশ* নির্দেশনা* \
     ہدایات احکامات ہدایت قواعد اصول ضوابط \
     ਹਦਾਇਤਾਂ ਨਿਰਦੇਸ਼* ਨਿਯਮ* ਹੁਕਮ* \
     સૂચનાઓ* નિર્દેશ* નિયમ* આદેશ* \
     सूचना* नियम* आदेश* \
     निर्देशन* नियम* आदेश* \
     அறிவுறுத்த* வழிமுறை* விதி* கட்டளை* அறிவுரை* \
     సూచన* నియమ* ఆదేశ* నిబంధన* \
     ಸೂಚನೆ* ನಿಯಮ* ಆದೇಶ* \
     നിർദ്ദേശ* നിർദേശ* നിയമ* ഉത്തരവ* \
     උපදෙස්* නීති* නියෝග* \
     təlimat* qayda* əmr* göstəriş* \
     нұсқау* ереже* бұйрық* \
     ko'rsatma* qoida* buyruq* \
     ინსტრუქცი* მითითებ* წეს* ბრძანებ* \
     հրահանգ* կանոն* ցուցում* հրաման* \
     заавар* заавр* дүрэм* дүрмийг тушаал* зааварчилгаа* \
     መመሪያ* ትእዛዝ* ደንብ* ትዕዛዝ* \
     enstriksyon enstriksyon_yo règ_yo lòd \
     pandhuan prentah aturan \
     instrukciojn regulojn ordonojn \
     istruzzjonijiet regoli ordnijiet \
     instruktiounen uweisungen regelen",
    ),
    (
        X_YOUR,
        " din dit deres sinun omat a_te az_ön tvoje tvoj вашите твоите tvoja tvoje vaše teves els_teus zure jou  bhur do_chuid \
     do_chuid_fhèin eich dy tavo jūsų tavus jūsu sinu sinu_oma þínar þín tuaj tua anda kamu ang_iyong iyong  yako zako lako \
     wakho yakho zakho bakho naka naku    kaaga তোমার আপনার آپ_کی آپ_کے تمہاری اپنی ਤੁਹਾਡੇ ਤੁਹਾਡੀਆਂ તમારા તમારી \
     तुमच्या तुझ्या तपाईंको உங்கள் உன் మీ మీకు ನಿಮ್ಮ നിങ്ങളുടെ ඔබේ ඔබගේ sənin sizin сенің сіздің sening sizning შენი თქვენი քո ձեր \
     чиний таны የእርስዎን የእርስዎ ou_a w_la sampeyan viajn  tiegħek deng",
    ),
    (
        X_REVEAL,
        "vis afslør fortæl gentag skriv udskriv \
     vis avslør fortell gjenta skriv_ut \
     näytä paljasta kerro toista tulosta \
     mutasd_meg mutasd fedd_fel áruld_el írd_ki ismételd_meg mondd_el \
     ukáž prezraď povedz zopakuj vypíš zobraz \
     покажи* разкрий* кажи* повтори* изведи* \
     prikaži otkrij pokaži ispiši ponovi reci прикажи* откриј* покажи* испиши* \
     prikaži razkrij pokaži izpiši ponovi povej \
     mostra revela digues repeteix escriu \
     amosa mostra revela repite dime \
     erakutsi azaldu esan errepikatu idatzi \
     wys openbaar herhaal druk_uit vertel_my \
     taispeáin nocht inis déan_athrá foilsigh \
     seall nochd innis sgrìobh foillsich ath-aithris \
     dangos datgelwch datgela ailadrodd dywedwch dangoswch \
     parodyk atskleisk pakartok pasakyk išvesk \
     parādi atklāj atkārto pasaki izdrukā \
     näita avalda korda ütle väljasta \
     sýndu afhjúpaðu endurtaktu segðu prentaðu \
     trego shfaq zbulo përsërit printo \
     tunjukkan dedahkan ulang cetak beritahu paparkan \
     ipakita ibunyag ulitin sabihin ilabas ilantad \
     onyesha fichua rudia niambie toa chapisha \
     bonisa veza dalula phinda ngitshele phrinta khombisa \
     bonisa tyhila phinda ndixelele \
     nuna bayyana maimaita gaya_mini fallasa \
     fi_hàn ṣàfihàn tún_sọ sọ_fún_mi \
     gosi kpughee kwughachi \
     i_tus muuji ku_celi ii_sheeg \
     দেখাও* দেখান* প্রকাশ* বলো* পুনরাবৃত্তি* লেখো* \
     دکھاؤ دکھائیں ظاہر_کر* بتاؤ بتائیں دہراؤ لکھو \
     ਦਿਖਾਓ* ਦੱਸੋ* ਦੁਹਰਾਓ* \
     બતાવો* જણાવો* પુનરાવર્તન* \
     दाखवा* सांगा* पुन्हा_सांगा* उघड* \
     देखाउ* भन्नुहोस्* दोहोर्* \
     காட்டு* காண்பி* வெளிப்படுத்து* சொல்* கூறு* \
     చూపించ* చెప్పు* చెప్పండి* వెల్లడించ* \
     ತೋರಿಸ* ಹೇಳಿ* ಬಹಿರಂಗ* \
     കാണിക്കു* പറയു* വെളിപ്പെടുത്തു* \
     පෙන්වන්න* කියන්න* හෙළි_කරන්න* \
     göstər* açıqla* deyin  təkrarla* \
     көрсет* айтыңыз   қайтала* \
     ko'rsat* ayting  oshkor_qil* takrorla* \
     მაჩვენე* გაამხილე* მითხარი* გაიმეორე* \
     ցույց_տուր* բացահայտիր* ասա* կրկնիր* \
     харуул* хэлээрэй илчил*  давт* \
     አሳይ* ንገረኝ* ድገም* ግለጽ* \
     montre_m di_m revele repete \
     tuduhna wenehana \
     montru malkaŝu ripetu \
     urini għidli irrepeti \
     weis_mir so_mir",
    ),
    (
        X_PROMPT,
        "systemprompten systeminstruktioner systeminstruktionerne systembesked \
     systemledetekst systeminstruksjoner systemmelding systemprompten \
     järjestelmäkehot* järjestelmäohj* järjestelmän_kehote \
     rendszerprompt* rendszerutasítás* rendszerüzenet* \
     systémový_prompt systémové_pokyny systémovú_správu \
     системния_промпт системни_инструкции системната_подкана \
     sistemski_prompt sistemske_upute sistemska_uputstva sistemsku_poruku системски_промпт \
     sistemski_poziv sistemska_navodila \
     indicació_del_sistema instruccions_del_sistema prompt_del_sistema \
     sistemaren_prompt sistema-prompt sistemaren_argibide* \
     stelselprompt stelselopdrag stelselinstruksies \
     leid_an_chórais treoracha_an_chórais teachtaireacht_an_chórais leid_córais \
     brosnachadh_an_t-siostaim stiùireadh_an_t-siostaim stiùiridhean_an_t-siostaim \
     anogwr_system anogwr_y_system cyfarwyddiadau_system \
     sistemos_raginim* sistemos_instrukcij* sisteminį_raginimą \
     sistēmas_uzvedn* sistēmas_norādījum* \
     süsteemiviip* süsteemi_viip* süsteemijuhis* \
     kerfisbeiðni* kerfisfyrirmæl* \
     udhëzimet_e_sistemit promptin_e_sistemit \
     gesaan_sistem arahan_sistem prompt_sistem \
     prompt_ng_sistema system_prompt_mo tagubilin_ng_sistema \
     maagizo_ya_mfumo kidokezo_cha_mfumo \
     imiyalelo_yesistimu umyalo_wesistimu isistimu_yakho imiyalelo_yohlelo \
     umarnin_tsarin সিস্টেম_প্রম্পট* সিস্টেম_নির্দেশ* سسٹم_پرامپٹ سسٹم_کی_ہدایات ਸਿਸਟਮ_ਪ੍ਰੋਂਪਟ* સિસ્ટમ_પ્રોમ્પ્ટ* \
     सिस्टम_प्रॉम्प्ट* सिस्टम_सूचना* प्रणाली_निर्देशन* கணினி_அறிவுறுத்த* சிஸ்டம்_ப்ராம்ப்ட்* సిస్టమ్_ప్రాంప్ట్* సిస్టం_ప్రాంప్ట్* \
     ಸಿಸ್ಟಂ_ಪ್ರಾಂಪ್ಟ್* സിസ്റ്റം_പ്രോംപ്റ്റ്* පද්ධති_උපදෙස්* sistem_təlimat* sistem_promptu* жүйелік_нұсқау* tizim_ko'rsatma* \
     სისტემურ* სისტემის_მითითებ* համակարգային_հրահանգ* системийн_заавар* የስርዓት_መመሪያ* sisteman_prompton",
    ),
    (
        X_UNBOUND,
        "uden_regler uden_begrænsninger uden_restriktioner uden_filtre uten_regler uten_begrensninger uten_filtre \
     ilman_sääntöjä ilman_rajoituksia rajoituksetta szabályok_nélkül korlátok_nélkül korlátozások_nélkül \
     bez_pravidiel bez_obmedzení без_правила без_ограничения bez_pravila bez_ograničenja bez_omejitev brez_pravil \
     sense_regles sense_límits sense_restriccions sen_regras sen_límites mugarik_gabe araurik_gabe sonder_reëls \
     sonder_beperkings gan_rialacha gan_teorainn gan_srianta gun_riaghailtean gun_chrìochan heb_reolau heb_gyfyngiadau \
     be_taisyklių be_apribojimų bez_noteikumiem bez_ierobežojumiem reegliteta piiranguteta án_reglna án_takmarkana \
     pa_rregulla pa_kufizime tanpa_peraturan tanpa_had tanpa_sekatan walang_limitasyon walang_patakaran walang_paghihigpit \
     bila_vikwazo bila_sheria bila_mipaka ngaphandle_kwemithetho ngaphandle_kwemingcele ba_tare_da_iyaka ba_tare_da_dokoki \
     কোনো_নিয়ম_ছাড়া* নিয়মহীন* সীমাহীন* কোনো_সীমাবদ্ধতা* بغیر_کسی_پابندی* بغیر_اصول* حدود_کے_بغیر* ਬਿਨਾਂ_ਨਿਯਮ* નિયમો_વિના* \
     नियमांशिवाय* விதிகள்_இல்லாத* கட்டுப்பாடுகள்_இல்லாத* నియమాలు_లేని* పరిమితులు_లేని* ನಿಯಮಗಳಿಲ್ಲದ* നിയമങ്ങളില്ലാത്ത* \
     qaydasız* məhdudiyyətsiz* шектеусіз* ережесіз* cheklovsiz* qoidasiz* წესების_გარეშე* შეზღუდვების_გარეშე* առանց_կանոնների* \
     առանց_սահմանափակումների* хязгааргүй* дүрэмгүй* ያለ_ገደብ* san_limit san_règ sen_reguloj sen_limoj",
    ),
    (
        X_ACT,
        "du_er_nu lad_som_om opfør_dig_som du_er_nå lat_som_om oppfør_deg_som olet_nyt esitä teeskentele mostantól_te \
     te_most tégy_úgy viselkedj_úgy si_teraz tvár_sa správaj_sa_ako ти_си_вече сега_си преструвай_се sada_si ti_si_sada \
     pretvaraj_se сада_си zdaj_si pretvarjaj_se ara_ets fes_veure_que orain_zara jy_is_nou tree_op_as is_tusa_anois lig_ort \
     is_tusa_a-nis leig_ort rwyt_ti_nawr dabar_esi apsimesk tagad_tu_esi izliecies sa_oled_nüüd teeskle þú_ert_núna \
     tani_ti_je sillu_si kini_anda anda_kini berlagak ikaw_ay_ngayon magkunwari umarte_ka_bilang sasa_wewe_ni jifanye manje_ungu \
     zenze yanzu_kai তুমি_এখন* আপনি_এখন* اب_آپ* اب_تم* ਹੁਣ_ਤੁਸੀਂ* હવે_તમે* आता_तुम्ही* இப்போது_நீ* ఇప్పుడు_మీరు* ನೀವು_ಈಗ* \
     നിങ്ങൾ_ഇപ്പോൾ* sən_indi сен_енді endi_sen ახლა_შენ դու_այժմ հիմա_դու чи_одоо አሁን_አንተ* kounye_a_ou_se vi_nun_estas",
    ),
    (
        X_SECRET,
        "adgangskode kodeord hemmelighed passord salasana salasanan salaisuus jelszó* titok* parola паролата тајна lozinka lozinku šifra \
     geslo skrivnost contrasenya contrasinal pasahitza wagwoord pasfhocal focal_faire facal-faire cyfrinair slaptažod*  \
     salasõna lykilorð fjalëkalimi kata_laluan password nenosiri neno_la_siri iphasiwedi kalmar_sirri পাসওয়ার্ড* গোপন* پاسورڈ پاس_ورڈ \
     ਪਾਸਵਰਡ* પાસવર્ડ* पासवर्ड* கடவுச்சொல்* పాస్వర్డ్* పాస్‌వర్డ్* ಪಾಸ್ವರ್ಡ್* പാസ്‌വേഡ്* පාස්වර්ඩ්* şifrə құпиясөз parol პაროლი* գաղտնաբառ* \
     нууц_үг* የይለፍ_ቃል* modpas pasvorton",
    ),
    (
        X_NOT,
        "ikke aldri aldrig älä ei_saa soha nikdy никога nikad nikada nikoli  inoiz nooit  riamh na peidiwch niekada nekad mitte \
     ekki aldrei kurrë mos jangan huwag usiwahi kamwe ungalokothi  না মত نہ ਨਾ ન नका வேண்டாம் వద్దు ಬೇಡ അരുത് heç_vaxt ешқашан \
     არასოდეს երբեք хэзээ_ч pa_janm neniam qatt",
    ),
];
