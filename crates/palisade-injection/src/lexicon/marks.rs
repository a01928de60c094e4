use super::{classes::*, tables::Table};

/// Marks made of signs: chat template tokens, forged roles, fences. Spaces and underscores are left out, as they are
/// when the text is compared; a run of one sign counts as long as the entry's.
pub(super) const TABLE: Table = &[
    (
        TEMPLATE,
        "<|imstart|>* <|imend|>* <|system|>* <|user|>* <|assistant|>* <|endoftext|>* <|startheaderid|>* \
         <|endheaderid|>* <|eotid|>* <|beginoftext|>* <|endofprompt|>* <|imsep|>* <|end|>* <|prompter|>* \
         <|channel|>* <|message|>* <|start|>* <startofturn>* <endofturn>* <<sys>>* <</sys>>* [inst]* [/inst]* \
         <s>[inst]* </s>[inst]* </s><s>* [systemprompt]* [/system]* [availabletools]* [toolcalls]* [toolresults]* \
         <|tool* <|python* <bossys>* <|fim* <|separator|>*",
    ),
    (
        FORGED,
        "<system>* </system>* <systemprompt>* </systemprompt>* <systemmessage>* </systemmessage>* <system- \
         <admin>* </admin>* <developer>* </developer>* <assistant>* </assistant>* \
         </userinput>* </user>* </userquery>* </usermessage>* <sysadmin>* <sys>* </sys>* <root>system* \
         <override>* <newinstructions>* <newinstruction>* <instructionspriority* <systemoverride>* <jailbreak>* \
         </document>* </documents>* </context>* </data>* </instructions>* </input>* </prompt>* </toolresult>* \
         [system]* [systemmessage]* [systemnote]* [systemoverride]* [admin]* [developer]* [internal]:* \
         [systemupdate]* [newinstructions]* [newinstruction]* [override]* [root]* [/user]* [endofuser* \
         [[ai:* [[assistant:* [[llm:* [[bot:* todo(ai):* ```system ```admin %%%developer* %%%system* %%%admin* \
         ###system ###systemprompt ###admin ###adminconsole ###newinstruction* ###newtask \
         ##system: ##systemmessage ###endofprompt ===system* ===admin* ===newinstructions* ***system \
         ---system ---newsession ---systemoverride ---endsystem ~~~newsession* (system) \
         \"role\":\"system\"* \"role\":\"developer\"* 'role':'system'* \"role\":\"admin\"* \"role\":\"internal\"* \
         \"override\":true* \"system\":\"ignore* {system:* {{#system* <|role|>system*",
    ),
    (
        FENCE,
        "\"}{\"role\":\"system\"* \"},{\"role\":\"system\"* </system><system>* </userinput><admin>* </userinput><system>* \
         </user><system>* </document><system>* ---endofsystem* ---endofprompt* ---endofuser* ---enduser* ---endofinstructions* ---endofinput* \
         ---endofdocument* ---endofcontext* ---endofdata* ---beginsystem* ---beginnew* ---startofsystem* \
         ---newinstructions* ---newsystem* ---beginadmin* \
         ===endofsystem* ===endofprompt* ===enduserinput* ===endofuserinput* ===endofdocument* ===endofcontext* ===endofinstructions* ===beginsystem* \
         ===newinstructions* ###endofsystem* ###endofuser* ###endofinstructions* ###endofinput* \
         ###enduser* ###endofdocument* ###endofcontext* [endofprompt]* [endofsystem* [endofinstructions* \
         [endcontext]* [enddata]* [enddocument]* [beginsystem* [endofdocument]* [endsystem* <endofprompt>* <endofsystem* \
         ***end*of* ---stop",
    ),
    (COMMENT, "<!--* /*ai* //ai //note {/*ai*"),
    (IMAGE, "![* [click](http* <imgsrc=* <img*"),
];
