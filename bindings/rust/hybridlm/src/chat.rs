//! Conversations, through the model's chat template.
use std::ffi::CString;
use std::fmt::Write;
use std::mem::size_of;
use std::ptr;

use crate::error::{c_string, sized, Result};
use crate::model::Model;
use crate::sys;
use crate::text::utf8;

/// `(role, content)` pairs as the JSON that [`Model::chat_tokenize`] takes.
pub fn messages_json<R: AsRef<str>, C: AsRef<str>>(messages: &[(R, C)]) -> String {
    let mut json = String::from("[");
    for (i, (role, content)) in messages.iter().enumerate() {
        json.push_str(if i == 0 { "{\"role\":" } else { ",{\"role\":" });
        json_string(&mut json, role.as_ref());
        json.push_str(",\"content\":");
        json_string(&mut json, content.as_ref());
        json.push('}');
    }
    json.push(']');
    json
}

fn json_string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c < ' ' => write!(out, "\\u{:04x}", c as u32).expect("a String takes everything"),
            c => out.push(c),
        }
    }
    out.push('"');
}

impl Model {
    /// A JSON array of messages to text.
    pub fn chat_render(&self, messages_json: &str, options: &ChatOptions) -> Result<String> {
        let (json, texts) = (c_string("the messages", messages_json)?, options.texts()?);
        let params = texts.params(options);
        let bytes = sized(messages_json.len() * 2, |out: *mut u8, cap, n| unsafe {
            sys::hlm_chat_render(self.as_ptr(), json.as_ptr(), &params, out.cast(), cap, n)
        })?;
        utf8(bytes)
    }

    /// A JSON array of messages to tokens; markers that a message spells are plain text.
    pub fn chat_tokenize(&self, messages_json: &str, options: &ChatOptions) -> Result<Vec<i32>> {
        let (json, texts) = (c_string("the messages", messages_json)?, options.texts()?);
        let params = texts.params(options);
        sized(messages_json.len(), |out, cap, n| unsafe {
            sys::hlm_chat_tokenize(self.as_ptr(), json.as_ptr(), &params, out, cap, n)
        })
    }

    /// `(role, content)` pairs to text, as [`Model::chat_render`] of the same messages.
    pub fn chat_render_messages<R, C>(&self, messages: &[(R, C)], options: &ChatOptions) -> Result<String>
    where
        R: AsRef<str>,
        C: AsRef<str>,
    {
        let (messages, texts) = (Messages::new(messages)?, options.texts()?);
        let (list, params) = (messages.list(), texts.params(options));
        let bytes = sized(256, |out: *mut u8, cap, n| unsafe {
            sys::hlm_chat_render_messages(self.as_ptr(), list.as_ptr(), list.len(), &params, out.cast(), cap, n)
        })?;
        utf8(bytes)
    }

    /// `(role, content)` pairs to tokens; markers that a message spells are plain text.
    pub fn chat_tokenize_messages<R, C>(&self, messages: &[(R, C)], options: &ChatOptions) -> Result<Vec<i32>>
    where
        R: AsRef<str>,
        C: AsRef<str>,
    {
        let (messages, texts) = (Messages::new(messages)?, options.texts()?);
        let (list, params) = (messages.list(), texts.params(options));
        sized(256, |out, cap, n| unsafe {
            sys::hlm_chat_tokenize_messages(self.as_ptr(), list.as_ptr(), list.len(), &params, out, cap, n)
        })
    }
}

/// The texts of messages as C takes them.
struct Messages(Vec<(CString, CString)>);

impl Messages {
    fn new<R: AsRef<str>, C: AsRef<str>>(messages: &[(R, C)]) -> Result<Messages> {
        let text = |i, field, text: &str| c_string(&format!("messages[{i}].{field}"), text);
        let pair = |(i, (role, content)): (usize, &(R, C))| {
            Ok((text(i, "role", role.as_ref())?, text(i, "content", content.as_ref())?))
        };
        messages.iter().enumerate().map(pair).collect::<Result<_>>().map(Messages)
    }

    /// Valid as long as `self` is.
    fn list(&self) -> Vec<sys::hlm_message> {
        self.0.iter().map(|(r, c)| sys::hlm_message { role: r.as_ptr(), content: c.as_ptr() }).collect()
    }
}

/// How a conversation is rendered.
#[derive(Clone, Debug, Default)]
pub struct ChatOptions<'a> {
    no_generation_prompt: bool,
    tools_json: Option<&'a str>,
    extra_json: Option<&'a str>,
    chat_template: Option<&'a str>,
    template_name: Option<&'a str>,
    now: i64,
}

impl<'a> ChatOptions<'a> {
    /// The model's template, an assistant's answer opened.
    pub fn new() -> ChatOptions<'a> {
        ChatOptions::default()
    }

    /// Do not end with the opening of an assistant's answer.
    pub fn no_generation_prompt(mut self) -> Self {
        self.no_generation_prompt = true;
        self
    }

    /// JSON array of tool schemas.
    pub fn tools_json(mut self, json: &'a str) -> Self {
        self.tools_json = Some(json);
        self
    }

    /// JSON object whose members become variables of the template.
    pub fn extra_json(mut self, json: &'a str) -> Self {
        self.extra_json = Some(json);
        self
    }

    /// A template to use instead of the model's.
    pub fn chat_template(mut self, template: &'a str) -> Self {
        self.chat_template = Some(template);
        self
    }

    /// Which of several templates: one of the model's files or a built-in one.
    pub fn template_name(mut self, name: &'a str) -> Self {
        self.template_name = Some(name);
        self
    }

    /// Seconds since 1970 (UTC) that `strftime_now` shows. 0: the system's clock.
    pub fn now(mut self, seconds: i64) -> Self {
        self.now = seconds;
        self
    }

    fn texts(&self) -> Result<Texts> {
        let text = |what, text: Option<&str>| text.map(|t| c_string(what, t)).transpose();
        Ok(Texts {
            tools: text("tools_json", self.tools_json)?,
            extra: text("extra_json", self.extra_json)?,
            template: text("chat_template", self.chat_template)?,
            name: text("template_name", self.template_name)?,
        })
    }
}

/// The texts of the options as C takes them.
struct Texts {
    tools: Option<CString>,
    extra: Option<CString>,
    template: Option<CString>,
    name: Option<CString>,
}

impl Texts {
    fn params(&self, options: &ChatOptions<'_>) -> sys::hlm_chat_params {
        let pointer = |text: &Option<CString>| text.as_ref().map_or(ptr::null(), |t| t.as_ptr());
        sys::hlm_chat_params {
            struct_size: size_of::<sys::hlm_chat_params>(),
            flags: if options.no_generation_prompt { sys::HLM_CHAT_NO_GENERATION_PROMPT } else { 0 },
            tools_json: pointer(&self.tools),
            extra_json: pointer(&self.extra),
            chat_template: pointer(&self.template),
            template_name: pointer(&self.name),
            now: options.now,
            ..Default::default()
        }
    }
}
